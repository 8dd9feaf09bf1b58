"""What every service is bolted to: settings, serving, dialing, identity, telemetry, database, clock.

It knows no word of the domain and imports no service.
"""
