"""What a file of metrics is, what it is given, and how all of them are asked."""
