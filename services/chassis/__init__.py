"""What every service is bolted to: settings, serving, dialing, identity, telemetry, database, refusals and clock.

It knows no word of the domain and imports no service.
"""
