subnets = {
  front = { cidr = "10.0.1.0/24", public = true }
  back  = { cidr = "10.0.2.0/24", public = false }
}
