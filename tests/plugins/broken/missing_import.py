"""Needs a package that nobody has."""

import a_package_that_is_not_there


class Model(a_package_that_is_not_there.Base):
    pass
