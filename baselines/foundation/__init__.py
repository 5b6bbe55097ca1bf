"""Foundation models of others, with the weights that their authors published."""
