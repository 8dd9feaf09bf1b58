"""The services of Sluice and the chassis they are bolted to; each is a process of its own."""
