variable "network" { type = string }
variable "name" { type = string }
variable "cidr" { type = string }
variable "public" { type = bool }

resource "terraform_data" "subnet" {
  input            = { name = var.name, cidr = var.cidr, public = var.public }
  triggers_replace = var.network
}

output "cidr" {
  value = terraform_data.subnet.output.cidr
}

output "public" {
  value = var.public
}
