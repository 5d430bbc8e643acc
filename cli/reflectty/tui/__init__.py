"""The full-screen chat: widgets, screens and the application that runs them."""
