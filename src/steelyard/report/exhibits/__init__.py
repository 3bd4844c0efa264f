"""What is shown, as numbers: one record and one function a file, for the page and the terminal."""
