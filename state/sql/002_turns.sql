-- Patience that outlives a turn and a crash, and when the next turn is due.
alter table loops add column waits text not null default '{}';
alter table loops add column look_at real;
alter table loops add column generation integer not null default 0;

-- Phases, proposals and verdicts. Unreleased: whoever adds columns before the release adds them here.
alter table trials add column phase integer not null default 1;
alter table trials add column base integer;
alter table trials add column taken_from integer;
alter table trials add column taken_loop text not null default '';
alter table trials add column repeat_of integer;
alter table trials add column proposal integer;
alter table trials add column note text not null default '';
alter table trials add column verdict text not null default ''
    check (verdict in ('', 'kept', 'discarded', 'inconclusive', 'failed', 'stopped'));
alter table trials add column verdict_why text not null default '';

-- What somebody else asks the loop to run next. Not written by its controller, so that asking needs no epoch.
create table proposals (
    loop_id text not null references loops (id),
    number integer not null,
    at real not null,
    kind text not null check (kind in ('trial', 'skip', 'done')),
    params text not null,
    source_digest text not null,
    base text not null,
    note text not null,
    again integer not null,
    status text not null check (status in ('open', 'taken', 'refused')),
    answer text not null,
    trial integer,
    primary key (loop_id, number)
) strict;
create index proposals_open on proposals (loop_id) where status = 'open';
-- How long a job installed packages before its script began, and uploaded after it: what the ledger splits.
alter table jobs add column install_seconds real;
alter table jobs add column upload_seconds real;

-- Lanes: the rows of all lanes are kept under the group's id, which is that of the first lane; each says its own.
alter table loops add column lane_of text not null default '';
alter table loops add column lane integer not null default 0;
alter table loops add column tally integer not null default 0;
create index loops_lanes on loops (lane_of) where lane_of <> '';
alter table trials add column lane integer not null default 0;
alter table jobs add column lane integer not null default 0;
alter table jobs add column claims text not null default '';
alter table intents add column lane integer not null default 0;
alter table obligations add column lane integer not null default 0;
alter table events add column lane integer not null default 0;
-- What each job reported of each metric, each report with its time; thinned out where there were many.
create table curves (
    loop_id text not null references loops (id),
    job integer not null,
    metric text not null,
    reports integer not null,
    points text not null,
    primary key (loop_id, job, metric)
) strict;
-- Written with every discharge, and never read: discharged_at says the same.
alter table obligations drop column checked_at;
