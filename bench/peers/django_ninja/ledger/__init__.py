"""The tables, as Django sees them. `../../schema.sql` creates them."""
