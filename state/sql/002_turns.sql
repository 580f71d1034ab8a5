-- Patience that outlives a turn and a crash, and when the next turn is due.
alter table loops add column waits text not null default '{}';
alter table loops add column look_at real;
alter table loops add column generation integer not null default 0;

-- How long a job installed packages before its script began, and uploaded after it: what the ledger splits.
alter table jobs add column install_seconds real;
alter table jobs add column upload_seconds real;
