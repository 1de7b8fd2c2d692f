"""What goes on in a training process: one run, or a group in step, as its page sees it."""
