export const handler = async ({ name = 'world' } = {}) => ({ greeting: `Hello ${name}`, table: process.env.TABLE })
