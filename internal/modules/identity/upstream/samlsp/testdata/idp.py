"""An identity provider made of Entr'ouvert's lasso, for one sign-in.

It takes the query of a request on its standard input, checks it against the
service provider's metadata, and writes the answer as JSON.
"""
import datetime
import json
import sys

import lasso

folder, encrypted = sys.argv[1], sys.argv[2] == "encrypted"
server = lasso.Server(folder + "/idp.xml", folder + "/idp.key", None, folder + "/idp.crt")
server.signatureMethod = lasso.SIGNATURE_METHOD_RSA_SHA256
server.addProvider(lasso.PROVIDER_ROLE_SP, folder + "/sp.xml")
for name in server.providerIds:
    provider = server.getProvider(name)
    if encrypted:
        provider.setEncryptionMode(lasso.ENCRYPTION_MODE_ASSERTION)
        provider.setEncryptionSymKeyType(lasso.ENCRYPTION_SYM_KEY_TYPE_AES_256)
        provider.setKeyEncryptionMethod(lasso.KEY_ENCRYPTION_METHOD_OAEP)
    else:
        provider.setEncryptionMode(lasso.ENCRYPTION_MODE_NONE)

login = lasso.Login(server)
login.processAuthnRequestMsg(sys.stdin.read())
login.validateRequestMsg(True, True)
now = datetime.datetime.now(datetime.timezone.utc)
start, end = ((now + datetime.timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:%SZ") for m in (0, 5))
login.buildAssertion(lasso.SAML2_AUTHN_CONTEXT_PASSWORD_PROTECTED_TRANSPORT, start, None, start, end)
name = lasso.Saml2NameID()
name.format = lasso.SAML2_NAME_IDENTIFIER_FORMAT_PERSISTENT
name.content = "d41d8cd98f"
login.assertion.subject.nameID = name
text = lasso.MiscTextNode.newWithString("amelie@univ.example")
text.textChild = True
value = lasso.Saml2AttributeValue()
value.any = [text]
attribute = lasso.Saml2Attribute()
attribute.name = "urn:oid:0.9.2342.19200300.100.1.3"
attribute.nameFormat = lasso.SAML2_ATTRIBUTE_NAME_FORMAT_URI
attribute.attributeValue = [value]
statement = lasso.Saml2AttributeStatement()
statement.attribute = [attribute]
login.assertion.attributeStatement = [statement]
login.buildAuthnResponseMsg()
json.dump({"url": login.msgUrl, "answer": login.msgBody, "relay": login.msgRelayState}, sys.stdout)
