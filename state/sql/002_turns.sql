-- Patience that outlives a turn and a crash, and when the next turn is due.
alter table loops add column waits text not null default '{}';
alter table loops add column look_at real;
alter table loops add column generation integer not null default 0;
