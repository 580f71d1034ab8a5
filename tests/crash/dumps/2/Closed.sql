BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'wpfsm','001_initial','2026-11-28 13:17:41.639152+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'wpfsm','002_turns','2026-11-28 13:17:41.657809+00:00');
CREATE TABLE curves (
    loop_id text not null references loops (id),
    job integer not null,
    metric text not null,
    reports integer not null,
    points text not null,
    primary key (loop_id, job, metric)
) strict;
INSERT INTO "curves" VALUES('story',1,'loss',2,'[[1,1750000015.5,0.9],[2,1750000023.0,0.1]]');
INSERT INTO "curves" VALUES('story',2,'loss',2,'[[1,1750000040.1,0.9],[2,1750000047.6,0.3]]');
CREATE TABLE events (
    loop_id text not null references loops (id),
    seq integer not null,
    at real not null,
    kind text not null,
    source text not null,
    target text not null,
    why text not null,
    data text not null, lane integer not null default 0,
    primary key (loop_id, seq)
) strict, without rowid;
INSERT INTO "events" VALUES('story',1,1750000000.0,'created','','Preflight','from a story','{}',0);
INSERT INTO "events" VALUES('story',2,1750000000.0,'checked','Preflight','Preflight','1 finding(s)','{"findings":[{"level":"warn","kind":"metric","text":"metric.regex: of 2.5e-05 it captures 2.5","fix":"capture all of it: ([-+0-9.eE]+), and try it with wpfsm metric test; a part of a number is not compared"}]}',0);
INSERT INTO "events" VALUES('story',3,1750000000.0,'admitted','Preflight','Submitting','checks passed; metric.regex: of 2.5e-05 it captures 2.5','{"lock":{"role_arn":"arn:aws:iam::123456789012:role/Train","instance_type":"ml.g5.xlarge","instance_count":1,"volume_gb":30,"kms_key":"","security_groups":[],"subnets":[],"encrypt_traffic":false,"network_isolation":false,"session_tag_keys":null},"pool_key":"0ef05063b5812237","findings":[{"level":"warn","kind":"metric","text":"metric.regex: of 2.5e-05 it captures 2.5","fix":"capture all of it: ([-+0-9.eE]+), and try it with wpfsm metric test; a part of a number is not compared"}]}',0);
INSERT INTO "events" VALUES('story',4,1750000000.0,'intended','Submitting','Submitting','job 1 for trial 1 (lr=1)','{"job":"story-001","params":{"lr":1},"guards":{"lock_unchanged":true,"limits_admit":true}}',0);
INSERT INTO "events" VALUES('story',5,1750000000.0,'sent','Submitting','Submitting','create story-001','{}',0);
INSERT INTO "events" VALUES('story',6,1750000000.0,'submitted','Submitting','Running','story-001 accepted by the service','{"job":"story-001"}',0);
INSERT INTO "events" VALUES('story',7,1750000000.0,'observed','Running','Running','story-001 is InProgress (Starting)','{"job":"story-001","status":"InProgress","secondary":"Starting"}',0);
INSERT INTO "events" VALUES('story',8,1750000010.0,'observed','Running','Running','story-001 is InProgress (Training)','{"job":"story-001","status":"InProgress","secondary":"Training"}',0);
INSERT INTO "events" VALUES('story',9,1750000010.6,'settled','Running','Running','story-001 started cold: no pool was there','{"job":"story-001","start":"cold","startup_seconds":8.0}',0);
INSERT INTO "events" VALUES('story',10,1750000020.6,'metric_warned','Running','Running','metric loss: a line has several matches (1.9, 0.9): the last is taken','{"metric":"loss","regex":"loss=([0-9.]+)","what":"several"}',0);
INSERT INTO "events" VALUES('story',11,1750000030.6,'ended','Running','Diagnosing','story-001 Completed','{"job":"story-001","status":"Completed","secondary":"Completed"}',0);
INSERT INTO "events" VALUES('story',12,1750000030.6,'proceed','Diagnosing','Verifying','trial 1 (lr=1) completed, loss = 0.1; next is trial 2 (lr=3)','{"job":"story-001","trial":1,"metric":0.1,"verdict":"kept","next":"lr=3","phase":1,"proposal":null,"taken_over":[]}',0);
INSERT INTO "events" VALUES('story',13,1750000030.6,'verified','Verifying','Submitting','the pool of story-001 is Available','{"job":"story-001","pool":"Available","expires_at":1750000623.0}',0);
INSERT INTO "events" VALUES('story',14,1750000030.6,'intended','Submitting','Submitting','job 2 for trial 2 (lr=3)','{"job":"story-002","params":{"lr":3},"guards":{"lock_unchanged":true,"limits_admit":true}}',0);
INSERT INTO "events" VALUES('story',15,1750000030.6,'sent','Submitting','Submitting','create story-002','{}',0);
INSERT INTO "events" VALUES('story',16,1750000030.6,'submitted','Submitting','Running','story-002 accepted by the service','{"job":"story-002"}',0);
INSERT INTO "events" VALUES('story',17,1750000030.6,'observed','Running','Running','story-002 is InProgress (Starting)','{"job":"story-002","status":"InProgress","secondary":"Starting"}',0);
INSERT INTO "events" VALUES('story',18,1750000044.85,'observed','Running','Running','story-002 is InProgress (Training)','{"job":"story-002","status":"InProgress","secondary":"Training"}',0);
INSERT INTO "events" VALUES('story',19,1750000044.85,'settled','Running','Running','story-002 started warm: story-001 was reused by story-002','{"job":"story-002","start":"warm","startup_seconds":2.0}',0);
INSERT INTO "events" VALUES('story',20,1750000054.85,'ended','Running','Diagnosing','story-002 Completed','{"job":"story-002","status":"Completed","secondary":"Completed"}',0);
INSERT INTO "events" VALUES('story',21,1750000054.85,'release','Diagnosing','Releasing','2 of 2 trials completed; best is trial 1 (lr=1) with loss 0.1','{"outcome":"completed"}',0);
INSERT INTO "events" VALUES('story',22,1750000054.85,'update_intended','Releasing','Releasing','keep-alive of story-002 to 0 s: release','{"job":"story-002","keep_alive":0}',0);
INSERT INTO "events" VALUES('story',23,1750000054.85,'update_answered','Releasing','Releasing','keep-alive of story-002: accepted','{}',0);
INSERT INTO "events" VALUES('story',24,1750000064.85,'pool_observed','Releasing','Releasing','story-002 is Completed, its pool Terminated','{}',0);
INSERT INTO "events" VALUES('story',25,1750000064.85,'discharged','Releasing','Releasing','story-002: Describe says Terminated','{"job":"story-002","evidence":"Describe says Terminated"}',0);
INSERT INTO "events" VALUES('story',26,1750000064.85,'released','Releasing','Closed','released and read back: 2 job(s) hold no pool','{"jobs":[{"job":"story-001","evidence":"Describe says Reused by story-002","at":1750000044.85},{"job":"story-002","evidence":"Describe says Terminated","at":1750000064.85}],"guards":{"nothing_owed":true}}',0);
CREATE TABLE intents (
    loop_id text not null references loops (id),
    kind text not null check (kind in ('create', 'update', 'stop')),
    job_name text not null,
    number integer not null,
    epoch integer not null,
    argument text not null,
    sent_at real,
    status text not null check (status in ('open', 'done', 'refused')),
    answer text not null, lane integer not null default 0,
    primary key (loop_id, kind, job_name, number)
) strict;
INSERT INTO "intents" VALUES('story','create','story-001',1,1,'2734cb3ee759b1f8',1750000000.0,'done','arn:aws:sagemaker:us-east-1:123456789012:training-job/story-001',0);
INSERT INTO "intents" VALUES('story','create','story-002',1,1,'932b64958ac966b6',1750000030.6,'done','arn:aws:sagemaker:us-east-1:123456789012:training-job/story-002',0);
INSERT INTO "intents" VALUES('story','update','story-002',1,1,'0',1750000054.85,'done','accepted',0);
CREATE TABLE jobs (
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
    transitions text not null, install_seconds real, upload_seconds real, lane integer not null default 0, claims text not null default '',
    primary key (loop_id, number)
) strict;
INSERT INTO "jobs" VALUES('story',1,1,'story-001','{"lr":1}','{"TrainingJobName":"story-001","ResourceConfig":{"InstanceType":"ml.g5.xlarge","InstanceCount":1,"VolumeSizeInGB":30,"KeepAlivePeriodInSeconds":600},"HyperParameters":{"lr":"1"},"Environment":{"TRAIN":"import numpy\n","REQUIREMENTS":"numpy==1.26.4\n","ENTRY":"train.py","WPFSM_PLAIN_HYPERPARAMETERS":"1","PIP_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/pip","UV_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/uv","HF_HOME":"/opt/ml/sagemaker/warmpoolcache/huggingface","TORCH_HOME":"/opt/ml/sagemaker/warmpoolcache/torch","TORCHINDUCTOR_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/torchinductor","TRITON_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/triton","NUMBA_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/numba","WPFSM_CHECKPOINT_DIR":"/opt/ml/sagemaker/warmpoolcache/wpfsm-checkpoint/story-trial-1"},"StoppingCondition":{"MaxRuntimeInSeconds":1800},"AlgorithmSpecification":{"TrainingImage":"image","TrainingInputMode":"File","MetricDefinitions":[{"Name":"loss","Regex":"loss=([0-9.]+)"}]},"OutputDataConfig":{"S3OutputPath":"s3://bucket/out"},"Tags":[{"Key":"wpfsm:loop","Value":"story"},{"Key":"wpfsm:digest","Value":"2734cb3ee759b1f8"}]}','2734cb3ee759b1f8','a3219ccee887f63a',600.0,1800.0,'arn:aws:sagemaker:us-east-1:123456789012:training-job/story-001','Completed','Completed','','',1750000000.0,1750000008.0,1750000023.0,8.0,15.0,15.0,8.0,'Reused',1750000031.0,'story-002','','cold','{"loss":0.1}',NULL,NULL,1750000044.85,'{"story-001/algo-1-1750000008": "f/00000000000000000000000000000000000000000000000000000002"}','[{"status":"Starting","start":1750000000.0,"end":1750000008.0,"message":"Preparing the instances for training"},{"status":"Downloading","start":1750000008.0,"end":1750000008.0,"message":"Downloading the training image"},{"status":"Training","start":1750000008.0,"end":1750000023.0,"message":"Training image download completed. Training in progress."},{"status":"Uploading","start":1750000023.0,"end":1750000023.0,"message":"Uploading generated training model"},{"status":"Completed","start":1750000023.0,"end":null,"message":"Training job completed"}]',0.0,0.0,0,'');
INSERT INTO "jobs" VALUES('story',2,2,'story-002','{"lr":3}','{"TrainingJobName":"story-002","ResourceConfig":{"InstanceType":"ml.g5.xlarge","InstanceCount":1,"VolumeSizeInGB":30,"KeepAlivePeriodInSeconds":600},"HyperParameters":{"lr":"3"},"Environment":{"TRAIN":"import numpy\n","REQUIREMENTS":"numpy==1.26.4\n","ENTRY":"train.py","WPFSM_PLAIN_HYPERPARAMETERS":"1","PIP_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/pip","UV_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/uv","HF_HOME":"/opt/ml/sagemaker/warmpoolcache/huggingface","TORCH_HOME":"/opt/ml/sagemaker/warmpoolcache/torch","TORCHINDUCTOR_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/torchinductor","TRITON_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/triton","NUMBA_CACHE_DIR":"/opt/ml/sagemaker/warmpoolcache/numba","WPFSM_CHECKPOINT_DIR":"/opt/ml/sagemaker/warmpoolcache/wpfsm-checkpoint/story-trial-2"},"StoppingCondition":{"MaxRuntimeInSeconds":1800},"AlgorithmSpecification":{"TrainingImage":"image","TrainingInputMode":"File","MetricDefinitions":[{"Name":"loss","Regex":"loss=([0-9.]+)"}]},"OutputDataConfig":{"S3OutputPath":"s3://bucket/out"},"Tags":[{"Key":"wpfsm:loop","Value":"story"},{"Key":"wpfsm:digest","Value":"932b64958ac966b6"}]}','932b64958ac966b6','a3219ccee887f63a',600.0,1800.0,'arn:aws:sagemaker:us-east-1:123456789012:training-job/story-002','Completed','Completed','','',1750000030.6,1750000032.6,1750000047.6,2.0,15.0,15.0,12.0,'Terminated',1750000059.6,'','story-001','warm','{"loss":0.3}',NULL,NULL,1750000064.85,'{"story-002/algo-1-1750000032": "f/00000000000000000000000000000000000000000000000000000002"}','[{"status":"Starting","start":1750000030.6,"end":1750000032.6,"message":"Preparing the instances for training"},{"status":"Downloading","start":1750000032.6,"end":1750000032.6,"message":"Downloading the training image"},{"status":"Training","start":1750000032.6,"end":1750000047.6,"message":"Training image download completed. Training in progress."},{"status":"Uploading","start":1750000047.6,"end":1750000047.6,"message":"Uploading generated training model"},{"status":"Completed","start":1750000047.6,"end":null,"message":"Training job completed"}]',0.0,0.0,0,'');
CREATE TABLE loops (
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
    version integer not null, waits text not null default '{}', look_at real, generation integer not null default 0, lane_of text not null default '', lane integer not null default 0, tally integer not null default 0,
    check (state <> 'Closed' or outcome is not null)
) strict;
INSERT INTO "loops" VALUES('story','story','Closed','local','us-east-1',1750000000.0,1750000064.85,'{"version":1,"name":"story","backend":"local","region":"us-east-1","pool":{"instance_type":"ml.g5.xlarge","role":null,"instance_count":1,"volume_gb":30,"kms_key":null,"vpc":null,"encrypt_traffic":false,"network_isolation":false,"session_tag_keys":[],"keep_alive":"10m","allow_long_keep_alive":false,"price_per_hour":null},"job":{"image":null,"source":"src/","entry":"train.py","requirements":"requirements.txt","python":null,"install":null,"request":null,"inputs":{},"output":null,"environment":{},"hyperparameters":{},"tags":{},"max_runtime":"30m","silence":null},"metric":{"name":"loss","goal":"minimize","regex":"loss=([0-9.]+)"},"metrics":[],"strategy":{"repeats":1,"confirm":0,"seed_parameter":null,"smoke":false,"method":"grid","parameters":{"lr":[1,3]},"trials":null,"count":null,"seed":0,"resource":null,"reduction":null,"carry_checkpoint":null,"type":"sweep"},"lanes":1,"limits":{"max_jobs":null,"max_cost":null,"max_wall":null,"max_failures":null,"on_limit":"release"},"on_failure":[],"on_contested":"cold","early_stop":null,"forecast":{"cold_start":"5m","warm_start":"0s","train":"2m","gap":"10s","bill_provisioning":false},"notify":{"command":null,"urls":[],"on":["closed","handoff","pool_lost","unconfirmed"]},"track":{"mlflow":null,"experiment":null},"checks":{"strict":false,"ignore":[]}}','/home/somebody/loops/loop.yaml','[]','123456789012','','2 of 2 trials completed; best is trial 1 (lr=1) with loss 0.1','completed','a3219ccee887f63a','{"role_arn":"arn:aws:iam::123456789012:role/Train","instance_type":"ml.g5.xlarge","instance_count":1,"volume_gb":30,"kms_key":"","security_groups":[],"subnets":[],"encrypt_traffic":false,"network_isolation":false,"session_tag_keys":null}','0ef05063b5812237','story-002',0.0,NULL,NULL,'{"usd_per_hour":1.408,"source":"price list","as_of":"2026-11-28","region":"us-east-1","instance_type":"ml.g5.xlarge"}','{"at":1750000064.85,"account":"123456789012","region":"us-east-1","endpoint_url":"","jobs":[{"job":"story-001","evidence":"Describe says Reused by story-002","at":1750000044.85},{"job":"story-002","evidence":"Describe says Terminated","at":1750000064.85}]}',NULL,1750000064.85,1,26,'{}',NULL,0,'',0,0);
CREATE TABLE obligations (
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
    discharged_at real, lane integer not null default 0,
    primary key (loop_id, job_name),
    check (status = 'owed' or evidence <> '')
) strict;
INSERT INTO "obligations" VALUES('story','story-001','123456789012','us-east-1','',1750000000.0,'discharged',1,1750000000.0,'Describe says Reused by story-002',1750000044.85,0);
INSERT INTO "obligations" VALUES('story','story-002','123456789012','us-east-1','',1750000030.6,'discharged',1,1750000030.6,'Describe says Terminated',1750000064.85,0);
CREATE TABLE owners (
    loop_id text primary key references loops (id),
    epoch integer not null,
    host text not null,
    pid integer not null,
    since real not null,
    heartbeat real not null
) strict;
INSERT INTO "owners" VALUES('story',1,'here',1,1750000000.0,1750000064.85);
CREATE TABLE prices (
    region text not null,
    instance_type text not null,
    usd_per_hour real not null,
    source text not null,
    as_of text not null,
    primary key (region, instance_type)
) strict;
CREATE TABLE proposals (
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
CREATE TABLE remembered (
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
CREATE TABLE rendered (
    loop_id text not null references loops (id),
    source_digest text not null,
    request text not null,
    primary key (loop_id, source_digest)
) strict;
INSERT INTO "rendered" VALUES('story','a3219ccee887f63a:train.py:c1e808a2','{"AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"}, "RoleArn": "arn:aws:iam::123456789012:role/Train", "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"}, "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}, "Environment": {"TRAIN": "import numpy\n", "REQUIREMENTS": "numpy==1.26.4\n", "ENTRY": "train.py", "WPFSM_PLAIN_HYPERPARAMETERS": "1"}}');
INSERT INTO "rendered" VALUES('story','like:train.py:requirements.txt:c1e808a2','{"AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"}, "RoleArn": "arn:aws:iam::123456789012:role/Train", "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"}, "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}, "Environment": {"TRAIN": "import numpy\n", "REQUIREMENTS": "numpy==1.26.4\n", "ENTRY": "train.py", "WPFSM_PLAIN_HYPERPARAMETERS": "1"}}');
CREATE TABLE stop_requests (
    loop_id text primary key references loops (id),
    at real not null
) strict;
CREATE TABLE trials (
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
    fingerprint text not null, phase integer not null default 1, base integer, taken_from integer, taken_loop text not null default '', repeat_of integer, proposal integer, note text not null default '', verdict text not null default ''
    check (verdict in ('', 'kept', 'discarded', 'inconclusive', 'failed', 'stopped')), verdict_why text not null default '', lane integer not null default 0,
    primary key (loop_id, number)
) strict;
INSERT INTO "trials" VALUES('story',1,'{"lr":1}','lr=1','completed',0,0,0,'','','a3219ccee887f63a','{}',0.1,'',1,NULL,NULL,'',NULL,NULL,'','kept','loss = 0.1, the first result',0);
INSERT INTO "trials" VALUES('story',2,'{"lr":3}','lr=3','completed',0,0,0,'','','a3219ccee887f63a','{}',0.3,'',1,NULL,NULL,'',NULL,NULL,'','discarded','not better: loss = 0.3 against 0.1 of trial 1 (+0.2)',0);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX loops_newest on loops (created_at desc);
CREATE INDEX loops_unfinished on loops (updated_at) where state <> 'Closed';
CREATE INDEX intents_open on intents (loop_id) where status = 'open';
CREATE INDEX obligations_owed on obligations (loop_id) where status = 'owed';
CREATE INDEX proposals_open on proposals (loop_id) where status = 'open';
CREATE INDEX loops_lanes on loops (lane_of) where lane_of <> '';
COMMIT;
pragma application_id = 2003854957;
pragma user_version = 2;
