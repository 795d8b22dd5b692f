variable "size" { default = 1 }

resource "terraform_data" "network" {
  input = { size = var.size }
}

output "size" {
  value = terraform_data.network.output.size
}
