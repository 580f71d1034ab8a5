"""A disk that is full, a channel that is missing, data that is damaged or not what the script expects."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "disk_full",
        Family.DATA,
        "The volume is full.",
        "Write less, clean caches, or raise pool.volume_gb, which is another pool.",
        "you",
        (
            LogPattern(
                r"No space left on device|Insufficient disk space|\bENOSPC\b|Disk quota exceeded", 0.975
            ),
            LogPattern(
                r"(?:not enough|out of|insufficient|low) (?:free |local )?(?:disk|storage)(?: space)?|disk (?:is )?full",
                0.92,
            ),
        ),
    ),
    FailureClass(
        "channel",
        Family.DATA,
        "An input is not there: a channel, a bucket, a prefix or a file.",
        "Check job.inputs: the URI, the region and the channel's name.",
        "you",
        (
            LogPattern(
                r"No S3 objects? (?:were )?found|no (?:objects|files?|data)[^\n]{0,60}(?:under|in|at|found)[^\n]{0,20}(?:s3|channel|prefix|directory)",
                0.965,
            ),
            LogPattern(
                r"KeyError: ['\"]SM_CHANNEL_(?P<channel>\w+)|(?P<missing_path>/opt/ml/input/data/(?!sm_drivers|code)[^\s'\":]*)['\"]?[^\n]{0,40}(?:does not exist|not found|no such)",
                0.95,
            ),
            LogPattern(
                r"No such file or directory:? ?[b]?['\"]?(?P<missing_path>/opt/ml/input/(?!data/(?:sm_drivers|code))[^'\"\s]*)",
                0.95,
            ),
            LogPattern(
                r"\bNoSuch(?:Key|Bucket)\b|(?:HeadObject|GetObject)[^\n]{0,60}Not Found|bucket[^\n]{0,40}does not exist|specified key does not exist",
                0.94,
            ),
            LogPattern(r"^404\b", 0.9, "call"),
            LogPattern(
                r"['\"]?(?P<channel>\w+)['\"]? channel\b[^\n]{0,40}(?:is )?(?:not|missing|required|empty|invalid|unspecified)|(?:missing|required|no|invalid|empty)[^\n]{0,30}\bchannel\b",
                0.88,
                prose=True,
            ),
            LogPattern(
                r"input data config\w*[^\n]{0,80}(?:invalid|missing|required|fail|validat)|(?:failed|unable)[^\n]{0,40}input data config",
                0.88,
            ),
            LogPattern(
                r"(?:Couldn't|could not|cannot|unable to) find any (?:data|files?|records?|images?|objects?)|\bfound (?:no|0|zero) (?:valid |supported |usable |matching )?(?:files?|images?|records?|samples)\b",
                0.9,
            ),
            LogPattern(
                r"Data download failed|Failed to download data|S3 key: ?\S+ has an|both a folder as well as a file",
                0.85,
            ),
        ),
    ),
    FailureClass(
        "data",
        Family.DATA,
        "The data cannot be read, or is not what the algorithm expects.",
        "Check the format and the content of the data that is read at {place}.",
        "you",
        (
            LogPattern(
                r"(?:libsvm|parquet|recordio|protobuf|csv|jsonl?(?:ines)?|content.?type|manifest|tfrecord)\b[^\n]{0,120}(?:format|invalid|magic|malformed|not supported|unsupported|expected|corrupt|failed|delimiter|wrong)",
                0.8,
            ),
            LogPattern(
                r"(?:unable to|cannot|could not|can't|failed to|error) (?:parse|pars(?:e|ing)|read(?:ing)?|decode|decoding|load(?:ing)?|tokeniz(?:e|ing))[^\n]{0,60}(?:csv|file|data|record|row|line|header|image|dataset|json|parquet)",
                0.78,
            ),
            LogPattern(
                r"magic (?:number|bytes)|Corrupt(?:Header|Record|ed)?\w*|DataLossError|invalid load key|BadZipFile|not a gzip file|PytorchStreamReader failed",
                0.9,
            ),
            LogPattern(
                r"EmptyDataError|ParserError|No columns to parse|Error tokenizing data|Arrow(?:Invalid|TypeError)|UnidentifiedImageError|image file is truncated",
                0.93,
            ),
            LogPattern(
                r"DatasetGeneration\w*Error|generating the dataset|DataFilesNotFoundError|EmptyDatasetError|DatasetNotFoundError|NonMatchingSplitsSizes",
                0.88,
            ),
            LogPattern(
                r"Safetensors?Error|Error while deserializing header|(?:InvalidHeader|HeaderTooLarge|MetadataIncomplete)\w*",
                0.92,
            ),
            LogPattern(r"UnicodeDecodeError|JSONDecodeError|could not convert string to float", 0.82),
            LogPattern(
                r"\b(?:input|data|labels?|targets?|features?|columns?|array)\b(?: [\w.]+)? contains? (?:`?NaN|`?inf|missing|null)|contains (?:missing|NaN|null) values",
                0.92,
            ),
            LogPattern(
                r"label(?:s|\(s\))? (?:must|should|need)[^\n]{0,40}|Label[^\n]{0,30}(?:not in|out of) |(?:unseen|unknown|previously unseen) labels?",
                0.86,
            ),
            LogPattern(
                r"feature[_ ]?names?[^\n]{0,40}mismatch|(?:number of (?:features|columns)|feature dim\w*)[^\n]{0,60}(?:mismatch|expect|differ|not)",
                0.85,
            ),
            LogPattern(
                r"(?:file|content|data|record)[ _-]?(?:type|format)s?\b[^\n]{0,60}(?:not supported|unsupported|invalid|unknown)",
                0.84,
            ),
            LogPattern(
                r"not enough (?:labels?|data\b|samples?|records?|images?|rows)|(?:array|data|dataset|set|batch) with 0 (?:samples?|rows|records)",
                0.86,
            ),
            LogPattern(
                r"num_samples=0|(?:dataset|file|data|input|directory) (?:is|was|appears to be) empty|empty (?:dataset|file)\b",
                0.86,
            ),
            LogPattern(
                r"not a valid model identifier|not a local folder|does not appear to have a file named|Can't load (?:tokenizer|the (?:model|configuration))|Repo id must",
                0.84,
            ),
            LogPattern(r"\b(?:Repository|(?:Remote)?Entry|Revision)NotFoundError", 0.84),
            LogPattern(r"\b404 (?:Client Error|Not Found)", 0.84, "exception"),
            LogPattern(
                r"ClientError:[^\n]{0,300}\b(?:files?|csv|records?|rows?|columns?|labels?|datasets?|headers?|delimiter|features?|content|images?|annotations?)\b",
                0.66,
                "reason",
            ),
        ),
        otherwise="Check the format and the content of the input.",
    ),
)
