"""How each kind of chart looks: `png` draws pictures, `web` what a browser draws."""
