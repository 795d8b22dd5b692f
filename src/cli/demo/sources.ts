/** The demo's repository, by the moment it is written in. Everything points into the demo's own directory. */
export interface DemoSources {
  first: { [path: string]: string }
  addStacks: { [path: string]: string }
  change: { [path: string]: string }
  /** A Kubernetes stack beside them, on the cluster of a kubeconfig. */
  addShop: (kubeconfig: string) => { [path: string]: string }
  /** An Ansible stack beside them, and beside the one on Kubernetes where there is a cluster; it writes a file on this machine. */
  addMotd: (kubeconfig: string | undefined) => { [path: string]: string }
  /** One more change of the page. */
  greetAnew: { [path: string]: string }
}

const environments = `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1, rollback: none }
    drift: { mode: enforce, interval: 1m }
`

const page = (text: string): string => `<!doctype html>\n<title>shop</title>\n<h1>${text}</h1>\n`

const MOTD = `  - path: hosts/motd
    name: motd
    driver: ansible
    environments: [production]
    with: { inventory: hosts.yml, requirements: false, idempotent: true }
`

const SHOP = (kubeconfig: string): string => `  - path: apps/shop
    name: shop
    driver: kubernetes
    environments: [production]
    with: { namespace: shop, createNamespace: true, kubeconfig: ${JSON.stringify(kubeconfig)} }
`

/** `terraform`: name of the tool for the dependent stack; null where this machine has none. */
export function demoSources(target: string, terraform: 'terraform' | 'tofu' | null): DemoSources {
  const stacks = (more = ''): string => `stacks:
  - path: hosts/web
    name: web
    driver: files
    environments: [production]
    with:
      target: ${JSON.stringify(target)}
${
  terraform === null
    ? ''
    : `  - path: infra/dns
    name: dns
    driver: terraform
    environments: [production]
    needs: [web]
    inputs: { document_root: web.target }
    with: { tool: ${terraform} }
`
}${more}policies:
  - name: no-deletes-in-production
    when: environment.tier == 'production' && plan.summary.delete > 0
    then: require-approval
    message: Deleting needs a second pair of eyes.
`
  return {
    first: { 'README.md': '# shop\n', 'trueup.yaml': `${environments}stacks: []\n` },
    addStacks: {
      'trueup.yaml': environments + stacks(),
      'hosts/web/index.html': page('Hello'),
      'hosts/web/conf/limits.conf': 'requests = 100\n',
      ...(terraform !== null && {
        'infra/dns/main.tf': `variable "document_root" {
  type = string
}

resource "terraform_data" "record" {
  input = { name = "shop.example.test", root = var.document_root }
}

output "name" {
  value = terraform_data.record.output.name
}
`,
      }),
    },
    change: { 'hosts/web/index.html': page('Hello, world'), 'hosts/web/conf/limits.conf': 'requests = 500\n' },
    addShop: (kubeconfig) => ({
      'trueup.yaml': environments + stacks(SHOP(kubeconfig)),
      'apps/shop/settings.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { greeting: Hello, currency: EUR }
`,
      'apps/shop/service.yaml': `apiVersion: v1
kind: Service
metadata: { name: shop, labels: { app: shop } }
spec:
  selector: { app: shop }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
`,
    }),
    addMotd: (kubeconfig) => ({
      'trueup.yaml': environments + stacks((kubeconfig === undefined ? '' : SHOP(kubeconfig)) + MOTD),
      'hosts/motd/hosts.yml': 'all:\n  hosts:\n    here: { ansible_connection: local }\n',
      'hosts/motd/site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - name: Greet who logs in
      copy: { dest: ${JSON.stringify(`${target}.motd`)}, content: "Managed by Git.\\n", mode: "0644" }
`,
    }),
    greetAnew: { 'hosts/web/index.html': page('Good to see you') },
  }
}
