"""What happens while planning, told as plain values; exporters and stores subscribe from above."""
