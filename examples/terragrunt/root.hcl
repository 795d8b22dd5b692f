# What every unit has in common. The directory stands for a bucket that all workers reach.
remote_state {
  backend = "local"
  generate = {
    path      = "backend.tf"
    if_exists = "overwrite"
  }
  config = {
    path = "/tmp/trueup-example/states/${path_relative_to_include()}.tfstate"
  }
}
