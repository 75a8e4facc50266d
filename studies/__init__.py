"""What the studies of docs/ measured: accuracy, agreement, generality; each module prints its figures."""
