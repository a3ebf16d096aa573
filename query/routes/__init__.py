"""One module per resource. Each reads its parameters, asks the database, and shapes the answer."""
