default['web']['motto'] = 'everything here comes from Git'
