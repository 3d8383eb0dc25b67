"""The reader behind `arithmetic` and `algebra`: text to tokens to equalities to exact values."""
