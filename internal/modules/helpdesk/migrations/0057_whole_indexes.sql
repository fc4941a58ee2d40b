-- A statement that is prepared before its values are known does not use an index of
-- which they may be no part: these were read past, and tickets or messages as a whole.
DROP INDEX helpdesk_tickets_by_requester;
CREATE INDEX helpdesk_tickets_by_requester ON helpdesk_tickets (requester_id, opened_at);
DROP INDEX helpdesk_tickets_by_mail;
CREATE INDEX helpdesk_tickets_by_mail ON helpdesk_tickets (requester_mail, opened_at);
DROP INDEX helpdesk_tickets_by_phone;
CREATE INDEX helpdesk_tickets_by_phone ON helpdesk_tickets (requester_phone);
DROP INDEX helpdesk_tickets_by_assignee;
CREATE INDEX helpdesk_tickets_by_assignee ON helpdesk_tickets (assignee_id, state, priority, opened_at);
DROP INDEX helpdesk_tickets_by_outage;
CREATE INDEX helpdesk_tickets_by_outage ON helpdesk_tickets (outage_id);
DROP INDEX helpdesk_tickets_by_incident;
CREATE INDEX helpdesk_tickets_by_incident ON helpdesk_tickets (incident_code);
DROP INDEX helpdesk_tickets_by_merger;
CREATE INDEX helpdesk_tickets_by_merger ON helpdesk_tickets (merged_into);
DROP INDEX helpdesk_messages_by_mail;
CREATE INDEX helpdesk_messages_by_mail ON helpdesk_messages (mail_id);
DROP INDEX helpdesk_messages_by_author;
CREATE INDEX helpdesk_messages_by_author ON helpdesk_messages (author_id);
DROP INDEX helpdesk_visits_by_person;
CREATE INDEX helpdesk_visits_by_person ON helpdesk_visits (person_id);
DROP INDEX helpdesk_visits_by_ticket;
CREATE INDEX helpdesk_visits_by_ticket ON helpdesk_visits (ticket_id);
DROP INDEX helpdesk_attachments_by_file;
CREATE INDEX helpdesk_attachments_by_file ON helpdesk_attachments (file_ref);
