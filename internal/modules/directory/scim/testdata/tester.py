"""Checks a SCIM server with scim2-tester, and prints what it finds: one line a check.

Arguments: the address of the protocol. The token stands in TOKEN.
"""

import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

http = Client(base_url=sys.argv[1], headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
client = SyncSCIMClient(http)
client.discover()
for result in check_server(client):
    print(f"{result.status.name}\t{result.title}\t{' '.join(str(result.reason or '').split())}")
sys.exit(0)
