"""Dead letters after they were written: found, chosen, shown, put back on their topic, mended by hand."""
