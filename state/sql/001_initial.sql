-- Times are seconds since the epoch (UTC), money is USD; columns that end in _json hold JSON text.
create table loops (
    id text primary key,
    name text not null,
    state text not null check (state in
        ('Preflight', 'Submitting', 'Running', 'Diagnosing', 'Verifying', 'Releasing', 'Closed')),
    backend text not null,
    region text not null,
    created_at real not null,
    updated_at real not null,
    loop_file text not null,
    loop_path text not null,
    overrides text not null,
    account text not null,
    endpoint_url text not null,
    why text not null,
    outcome text,
    source_digest text not null,
    lock text,
    pool_key text not null,
    pool_owner text not null,
    keep_alive real not null,
    hold_until real,
    handoff text,
    price text,
    receipt text,
    wait_until real,
    closed_at real,
    epoch integer not null,
    version integer not null,
    check (state <> 'Closed' or outcome is not null)
) strict;
create index loops_newest on loops (created_at desc);
create index loops_unfinished on loops (updated_at) where state <> 'Closed';

create table owners (
    loop_id text primary key references loops (id),
    epoch integer not null,
    host text not null,
    pid integer not null,
    since real not null,
    heartbeat real not null
) strict;

-- What another process asks of the controller. Not part of the loop row, so that asking needs no epoch.
create table stop_requests (
    loop_id text primary key references loops (id),
    at real not null
) strict;

create table trials (
    loop_id text not null references loops (id),
    number integer not null,
    params text not null,
    label text not null,
    state text not null check (state in ('pending', 'running', 'completed', 'failed', 'stopped')),
    smoke integer not null,
    carry_checkpoint integer not null,
    repeat integer not null,
    source text not null,
    entry text not null,
    source_digest text not null,
    environment text not null,
    metric real,
    fingerprint text not null,
    primary key (loop_id, number)
) strict;

create table jobs (
    loop_id text not null references loops (id),
    number integer not null,
    trial integer not null,
    name text not null unique,
    params text not null,
    request text not null,
    request_digest text not null,
    source_digest text not null,
    keep_alive real not null,
    max_runtime real not null,
    arn text not null,
    status text not null,
    secondary_status text not null,
    failure_reason text not null,
    stopped_for text not null,
    created_at real,
    started_at real,
    ended_at real,
    startup_seconds real,
    training_seconds real,
    billable_seconds real,
    retained_seconds real,
    pool_status text not null,
    pool_ended_at real,
    reused_by text not null,
    reuse_of text not null,
    start text check (start in ('cold', 'warm')),
    metrics text not null,
    diagnosis text,
    patch text,
    seen_at real,
    log_cursor text not null,
    transitions text not null,
    primary key (loop_id, number)
) strict;

create table intents (
    loop_id text not null references loops (id),
    kind text not null check (kind in ('create', 'update', 'stop')),
    job_name text not null,
    number integer not null,
    epoch integer not null,
    argument text not null,
    sent_at real,
    status text not null check (status in ('open', 'done', 'refused')),
    answer text not null,
    primary key (loop_id, kind, job_name, number)
) strict;
create index intents_open on intents (loop_id) where status = 'open';

create table obligations (
    loop_id text not null references loops (id),
    job_name text not null,
    account text not null,
    region text not null,
    endpoint_url text not null,
    created_at real not null,
    status text not null check (status in ('owed', 'discharged')),
    seen integer not null,
    sent_at real,
    evidence text not null,
    checked_at real,
    discharged_at real,
    primary key (loop_id, job_name),
    check (status = 'owed' or evidence <> '')
) strict;
create index obligations_owed on obligations (loop_id) where status = 'owed';

create table events (
    loop_id text not null references loops (id),
    seq integer not null,
    at real not null,
    kind text not null,
    source text not null,
    target text not null,
    why text not null,
    data text not null,
    primary key (loop_id, seq)
) strict, without rowid;

create table rendered (
    loop_id text not null references loops (id),
    source_digest text not null,
    request text not null,
    primary key (loop_id, source_digest)
) strict;

create table remembered (
    fingerprint text not null,
    loop_id text not null,
    job_name text not null,
    class text not null,
    patch_key text not null,
    patch text not null,
    outcome text not null check (outcome in ('pending', 'worked', 'failed')),
    at real not null,
    primary key (fingerprint, loop_id, job_name)
) strict;

create table prices (
    region text not null,
    instance_type text not null,
    usd_per_hour real not null,
    source text not null,
    as_of text not null,
    primary key (region, instance_type)
) strict;
