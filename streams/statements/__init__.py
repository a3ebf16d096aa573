"""SQL statements, one file each; arguments are arrays, one element for each row."""
