"""The shell that carries out `Send`: pooled connections to each region, and what each HTTP answer means."""
