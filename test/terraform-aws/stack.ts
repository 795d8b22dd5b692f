/** S3, DynamoDB, Lambda and API Gateway, as a small service has them. The endpoint comes from AWS_ENDPOINT_URL. */
export const SERVICE = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}
resource "aws_s3_bucket" "files" {
  bucket = "trueup-test-files"
  tags   = { team = "shop" }
}
resource "aws_dynamodb_table" "orders" {
  name         = "trueup-test-orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_iam_role" "api" {
  name = "trueup-test-api"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_lambda_function" "api" {
  function_name    = "trueup-test-api"
  role             = aws_iam_role.api.arn
  handler          = "index.handler"
  runtime          = "nodejs20.x"
  filename         = "\${path.module}/api.zip"
  source_code_hash = filebase64sha256("\${path.module}/api.zip")
  memory_size      = 128
  environment {
    variables = { STAGE = "test" }
  }
}
resource "aws_api_gateway_rest_api" "shop" {
  name        = "trueup-test-shop"
  description = "orders"
}
resource "aws_api_gateway_resource" "orders" {
  rest_api_id = aws_api_gateway_rest_api.shop.id
  parent_id   = aws_api_gateway_rest_api.shop.root_resource_id
  path_part   = "orders"
}
resource "aws_api_gateway_method" "get" {
  rest_api_id   = aws_api_gateway_rest_api.shop.id
  resource_id   = aws_api_gateway_resource.orders.id
  http_method   = "GET"
  authorization = "NONE"
}
resource "aws_api_gateway_integration" "lambda" {
  rest_api_id             = aws_api_gateway_rest_api.shop.id
  resource_id             = aws_api_gateway_resource.orders.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.api.invoke_arn
}
output "function" { value = aws_lambda_function.api.function_name }
output "api" { value = aws_api_gateway_rest_api.shop.id }
`

/** An empty zip archive: only its end record. */
export const EMPTY_ZIP = Buffer.concat([Buffer.from('PK\u0005\u0006', 'latin1'), Buffer.alloc(18)])
