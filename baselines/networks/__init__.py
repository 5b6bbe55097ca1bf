"""Networks of the field, with the parameter names of their authors; no model of the suite is among them."""
