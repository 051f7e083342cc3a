"""Binance on the wire, spot and USD-M futures: translation both ways, outcomes, private and public streams."""
