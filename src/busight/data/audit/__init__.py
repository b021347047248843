"""What is wrong with a set of images: copies, marks, odd ones out. No labels are changed and no file is touched."""
