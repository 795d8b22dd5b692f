#!/bin/sh
# Exit code 0 = nothing to do, 2 = there are changes, anything else = an error.
if [ ! -e "$BANNER_FILE" ]; then
  echo "create $BANNER_FILE:"
  cat banner.txt
  exit 2
fi
diff -u --label live --label git "$BANNER_FILE" banner.txt
case $? in 0) exit 0 ;; 1) exit 2 ;; *) exit 1 ;; esac
