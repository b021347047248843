"""Why an answer came about: where a network looked, and what a lesion looks like in the words of BI-RADS."""
