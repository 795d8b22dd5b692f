# What the host is.
include profile::greeting
