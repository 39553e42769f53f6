# TAP scripts that run real programs, with their hosts and plugins.
