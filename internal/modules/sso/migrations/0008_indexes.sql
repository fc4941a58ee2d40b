CREATE INDEX sso_logouts_person ON sso_logouts (person, created_at);
CREATE INDEX sso_proxy_grants_person ON sso_proxy_grants (person, issued_at);
CREATE INDEX sso_oidc_grants_client ON sso_oidc_grants (client_id);
