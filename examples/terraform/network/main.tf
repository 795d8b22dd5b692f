terraform {
  required_version = ">= 1.5"
}

variable "name" {
  type        = string
  description = "Name of the network, set in trueup.yaml."
}

variable "subnets" {
  type        = map(object({ cidr = string, public = bool }))
  description = "Subnets by name."
}

resource "terraform_data" "network" {
  input = { name = var.name, cidr = "10.0.0.0/16" }
}

module "subnet" {
  source   = "../modules/subnet"
  for_each = var.subnets

  network = terraform_data.network.id
  name    = "${var.name}-${each.key}"
  cidr    = each.value.cidr
  public  = each.value.public
}

check "has_a_public_subnet" {
  assert {
    condition     = anytrue([for subnet in module.subnet : subnet.public])
    error_message = "Nothing in ${var.name} can be reached from outside."
  }
}

output "network_id" {
  value       = terraform_data.network.id
  description = "For stacks that name it under `inputs`."
}

output "subnets" {
  value = { for name, subnet in module.subnet : name => subnet.cidr }
}
