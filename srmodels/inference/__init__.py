"""From trained weights to people's photographs."""
