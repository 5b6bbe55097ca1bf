"""Networks of the field with the parameter names of their authors; some of them are trained here."""
