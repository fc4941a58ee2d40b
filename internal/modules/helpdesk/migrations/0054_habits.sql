-- +goose Up
-- What an agent chose the last time, and is offered the next time.
CREATE TABLE helpdesk_habits (
    agent_id     TEXT   NOT NULL PRIMARY KEY,
    answer_takes BIGINT NOT NULL -- 1: who answers a request that nobody has, has it
);

-- +goose Down
DROP TABLE helpdesk_habits;
