"""Several values, configurations or recipes: sweeps, grids, searches, one recipe after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wpfsm.adapters.detect import vocabulary as words
from wpfsm.adapters.detect.clauses import Sentence, Shape
from wpfsm.adapters.detect.findings import Finding, Pattern, Trial, Value
from wpfsm.adapters.detect.intervals import MAX_TRIALS
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.quantities import Assignment, trials
from wpfsm.adapters.detect.rows import Row, rows
from wpfsm.adapters.detect.vocabulary import Kind, Parameter, word_set

_COMBINED = Rule(r" (?:combination|cartesian|grid|factorial|cross|crossed|x|every|each with|times) ")
_PAIRED = Rule(r" (?:respectively|respective|pairwise|paired|pair|corresponding|zipped) ")
"""Lists of several settings are rows: the first value with the first, the second with the second."""
_EFFECTIVE_BATCH = ("batch_size", "gradient_accumulation_steps")
_EACH_RUN = Rule(r" (?:every|each) (?:run|one|epoch|step|time|job) ")
_IN_TURN = Rule(
    r" (?:then|after|first|next|afterwards|when|second|also|another|if|and|continue|finish|finally|lastly) "
)
_INSTEAD = Rule(r" (?:instead|from|was|is too|currently|default) ")
_SEARCH = Rule(
    r" (?:random search|bayes\w*(?: \S+)?|optuna|hyperband|tpe|asha|grid search|search over|latin hypercube|hpo"
    r"|hyperparameter (?:search|sweep|tune|optimi[sz]\w+|grid|explore|configuration)"
    r"|(?:tune|sweep|search|optimi[sz]e|explore|vary|experiment with|try)"
    r" (?:the |a |some |over |our |its |several |these |all |for |good |better |best |with |more )*hyperparameter"
    r"|(?:best|better|good|optimal) hyperparameter|param(?:eter)? sweep"
    r"|(?:run|start|launch|do|begin|redo|rerun|repeat) (?:the |my |our |a |this )(?:\S+ )?sweep"
    r"|(?<!the )(?<!my )(?<!our )(?<!this )(?<!that )(?<!last )(?<!previous )(?<!of )sweep) "
)
"""A search; "the sweep" is one that exists already, unless it is to be run."""
_REPEATED = Rule(
    r" (?:(?:run|train|repeat|rerun|retrain|do|launch|submit|finetune|fit|kick|start) (?:\S+ ){0,6}?|, )"
    r"NUM (?:more |independent |separate |identical )*(?:time|x|run|job|model|repeat|replicate|repetition) "
    r"(?!(?:fast|faster|more|if|per|as|larger|longer|bigger|a|on fail|each epoch))"
)
_TIMES_X = Rule(
    r" (?:run|train|repeat|rerun|retrain|do|launch|submit|finetune|fit) (?:\S+ ){0,6}?(?P<times>\d{1,3})x "
)
_VARIANCE = Rule(
    r" (?:variance|seed|error bar|noise|noisy|std|average|mean|confidence|stable|stability|reproducib\w+|spread"
    r"|repeat|different|differ|deviation|each|independent|same) "
)
_MORE_OR_LESS = r"(?:twice|half|double|triple|higher|lower|larger|smaller|bigger|shorter|longer|\d+x)"
_RELATIVE = Rule(rf" {_MORE_OR_LESS} (?:\S+ ){{0,6}}?(?:and|or|then|vs|,) (?:\S+ ){{0,5}}?{_MORE_OR_LESS} ")
_STEP_BY_STEP = Rule(
    r" (?:halve|reduce|lower|shrink|decrease|cut|double|increase|raise|grow|bump|drop|scale) (?:\S+ ){0,4}?PARAM "
    r"(?:\S+ ){0,8}?(?:until|as long as|step by step|gradually|each time|progressively) "
)
_RECIPE_NOUN = r"(?:recipe|(?:finetune|train|peft|adapter|alignment) (?:method|approach|strategy|technique|script|recipe))"
_RECIPES = Rule(
    r" (?:all|each|every|several|next|NUM|through|try|compare|run|iterate|between|different|another|test|following"
    rf"|various|both|which|cycle|these) (?:\S+ ){{0,4}}?{_RECIPE_NOUN} "
)
_NEXT_RECIPE = Rule(r" (?:next|another|iterate on (?:the|our|this)) (?:\S+ ){0,2}recipe ")
_RECIPE_LOOP = Rule(
    r" (?:one after (?:another|the other)|in turn|in order|in sequence|one by one|all|each|every|several|NUM|next"
    r"|iterate|both|compare|different|which|cycle|through|back to back|various) "
)
_PLURALS = word_set("recipes methods approaches strategies scripts techniques configs")
_ONE_OF_MANY = Rule(rf" (?:iterate|each|every|next) (?:\S+ ){{0,4}}?{_RECIPE_NOUN} ")
_BY_NAME = Rule(
    r" (?:run|try|train|compare|test) (?:\S+ ){0,2}?recipe (?:NUM|[a-z]) "
    r"(?:(?:,|and|then|vs|or|/) )+(?:recipe )?(?:NUM|[a-z]) "
)
"""Recipes by letter or number: "run recipe A, recipe B and recipe C"."""
_KINDS = {parameter.name: parameter.kind for parameter in words.PARAMETERS}


def varied(assignments: Sequence[Assignment], sentences: Sequence[Sentence]) -> Finding | None:
    """Several values of one or more parameters: a sweep, a grid of configurations, or recipes."""
    whole = Shape(
        tuple(item for sentence in sentences if not sentence.question for item in sentence.live.items)
    )
    if (configurations := _several_rows(rows(sentences) or _configurations(assignments))) is not None:
        return configurations
    times = max((_times(sentence.live) for sentence in sentences), default=0)
    wide = {
        parameter: _counted(parameter, group, times)
        for parameter, group in _groups(assignments, whole).items()
        if group.varies
    }
    if not wide:
        return None
    combined = whole.has(_COMBINED) and not whole.has(_EACH_RUN)
    paired = not combined and (whole.has(_PAIRED) or _same_effective_batch(wide))
    return _several(wide, _points(wide, paired=paired), combined=combined)


def search(sentences: Sequence[Sentence]) -> Finding | None:
    """A search, a repetition or a series of recipes without explicit values."""
    for sentence in sentences:
        if sentence.question:
            continue
        shape = sentence.live
        for parameter in (_relative(shape), _step_by_step(shape)):
            if parameter is not None:
                return _several({parameter: Assignment(parameter, varied=True)}, [], combined=False)
        recipes = shape.has(_RECIPES) and shape.has(_RECIPE_LOOP) and _plural(shape)
        if recipes or shape.has(_NEXT_RECIPE) or shape.has(_BY_NAME):
            return Finding(
                Pattern.RECIPE_ITERATION, "it asks for several training recipes, one after another"
            )
        if shape.has(_SEARCH):
            return Finding(Pattern.HYPERPARAMETER_SWEEP, "it asks for a search over hyperparameters")
        if (times := _times(shape)) and shape.has(_VARIANCE):
            seeds: list[Trial] = [{"seed": n} for n in range(times)]
            return Finding(
                Pattern.HYPERPARAMETER_SWEEP,
                f"it asks for the same job {times} times (seeds)",
                seeds,
                varied=("seed",),
            )
    return None


# --- what varies ----------------------------------------------------------------------------------------------


def _several(wide: Mapping[Parameter, Assignment], points: list[Trial], *, combined: bool) -> Finding:
    pattern = _pattern_of(wide, combined=combined)
    what = {
        Pattern.CONFIG_GRID: "configurations of the job, in",
        Pattern.RECIPE_ITERATION: "variants of the recipe, one after another, in",
    }.get(pattern, "values of" if len(wide) == 1 else "settings of")
    names = tuple(parameter.name for parameter in wide)
    count = len(points) if len(points) > 1 else "several"
    return Finding(pattern, f"it asks for {count} {what} {_said(names)}", points, varied=names)


def _pattern_of(wide: Mapping[Parameter, Assignment], *, combined: bool) -> Pattern:
    kinds = {parameter.kind for parameter in wide}
    if Kind.RUN in kinds or (len(wide) > 1 and (combined or len(kinds) > 1)):
        return Pattern.CONFIG_GRID
    return Pattern.RECIPE_ITERATION if Kind.RECIPE in kinds else Pattern.HYPERPARAMETER_SWEEP


def _groups(assignments: Sequence[Assignment], whole: Shape) -> dict[Parameter, Assignment]:
    """The assignments by parameter; single values asked for one after the other make a list."""
    in_turn = whole.has(_IN_TURN) and not whole.has(_INSTEAD)
    groups: dict[Parameter, Assignment] = {}
    for found in assignments:
        parameter = found.parameter
        if parameter is None or parameter.kind is Kind.FIXED:
            continue
        earlier = groups.get(parameter)
        if earlier is None or not _joins(earlier, found, in_turn=in_turn):
            groups[parameter] = found
            continue
        new = tuple(value for value in found.values if value not in earlier.values)
        groups[parameter] = replace(
            earlier,
            values=earlier.values + new,
            bounds=earlier.bounds or found.bounds,
            varied=earlier.varied or found.varied,
        )
    return groups


def _joins(earlier: Assignment, found: Assignment, *, in_turn: bool) -> bool:
    """Whether two assignments of one parameter add up, or the later one replaces the earlier."""
    if earlier.varies:
        return True
    if found.varies:
        return earlier.asked
    alternatives = earlier.parameter is not None and earlier.parameter.kind is not Kind.POOL
    return in_turn and alternatives and earlier.asked and found.asked


def _counted(parameter: Parameter, group: Assignment, times: int) -> Assignment:
    """ "five times with different seeds": the seeds are counted by the repetitions."""
    if parameter.name == "seed" and not group.values and times:
        return replace(group, values=tuple(range(times)))
    return group


def _points(wide: Mapping[Parameter, Assignment], *, paired: bool) -> list[Trial]:
    """The trials: the grid of what is listed, or its rows; open ranges stand as ranges where nothing is listed."""
    listed = [(parameter, found.values) for parameter, found in wide.items() if found.values]
    if not listed:
        ranges = {
            p.name: {"min": f.bounds[0], "max": f.bounds[1]} for p, f in wide.items() if f.bounds is not None
        }
        return [dict(ranges)] if ranges else []
    if paired and len({len(values) for _, values in listed}) == 1:
        names = [parameter.name for parameter, _ in listed]
        points = zip(*(values for _, values in listed), strict=True)
        return _labelled([dict(zip(names, point, strict=True)) for point in points])
    return _labelled(trials(listed))


def _same_effective_batch(wide: Mapping[Parameter, Assignment]) -> bool:
    """ "batch 1, 2, 4 with accumulation 16, 8, 4": each batch size has its own number of steps."""
    values = {parameter.name: found.values for parameter, found in wide.items()}
    if set(values) != set(_EFFECTIVE_BATCH) or len({len(each) for each in values.values()}) != 1:
        return False
    batches, steps = (values[name] for name in _EFFECTIVE_BATCH)
    return len({_product(batch, n) for batch, n in zip(batches, steps, strict=True)}) == 1


def _product(batch: Value, steps: Value) -> float | None:
    numbers = isinstance(batch, int | float) and isinstance(steps, int | float)
    return float(batch) * float(steps) if numbers else None


def _labelled(points: list[Trial]) -> list[Trial]:
    """The trials, each that is a recipe with its name."""
    for point in points:
        if "recipe" not in point and any(_KINDS[name] is Kind.RECIPE for name in point if name in _KINDS):
            point["recipe"] = ", ".join(f"{_title(name)} {value}" for name, value in point.items())
    return points


def _configurations(assignments: Sequence[Assignment]) -> list[Row]:
    """Whole configurations one after the other: "lr 1e-4 bs 8, then lr 5e-5 bs 16"."""
    singles = [(found, found.parameter) for found in assignments if found.parameter is not None]
    points: list[Row] = [{}]
    for found, parameter in singles:
        if parameter.kind is Kind.FIXED:
            continue
        if len(found.values) != 1 or found.varied:
            return []
        if parameter in points[-1]:
            points.append({})
        points[-1][parameter] = found.values[0]
    return points


def _several_rows(points: Sequence[Row]) -> Finding | None:
    """Two or more rows with the same two or more names, of which those that change are the trial."""
    if len(points) < 2 or len(points[0]) < 2 or any(point.keys() != points[0].keys() for point in points):
        return None
    first = points[0]
    changing = {
        parameter: Assignment(parameter, tuple(point[parameter] for point in points))
        for parameter in first
        if any(point[parameter] != first[parameter] for point in points)
    }
    asked: list[Trial] = [{parameter.name: point[parameter] for parameter in changing} for point in points]
    recipes = all(parameter.kind is Kind.RECIPE for parameter in changing)
    return _several(changing, _labelled(asked), combined=not recipes) if changing else None


def _said(names: Sequence[str]) -> str:
    return " and ".join(name.replace("_", " ") for name in names)


def _title(name: str) -> str:
    return name.replace("lora_", "LoRA ").replace("_", " ")


# --- without values -------------------------------------------------------------------------------------------


def _relative(shape: Shape) -> Parameter | None:
    """ "with twice the learning rate and with half of it"."""
    return _parameter_from(shape, 0) if shape.has(_RELATIVE) else None


def _step_by_step(shape: Shape) -> Parameter | None:
    """ "halve the batch size until it fits"."""
    match = _STEP_BY_STEP.search(shape.text)
    return _parameter_from(shape, shape.index(match.start() + 1)) if match else None


def _parameter_from(shape: Shape, at: int) -> Parameter | None:
    return next((item.parameter for item in shape.items[at:] if item.tag == "PARAM"), None)


def _times(shape: Shape) -> int:
    """How often the same job shall run ("run it five times"), or 0."""
    if (written := _TIMES_X.search(shape.text)) is not None:
        return int(written["times"]) if 2 <= int(written["times"]) <= MAX_TRIALS else 0
    match = _REPEATED.search(shape.text)
    if match is None:
        return 0
    behind = shape.items[shape.index(match.start() + 1) :]
    times = next((item.value for item in behind if item.tag == "NUM"), None)
    return times if isinstance(times, int) and 2 <= times <= MAX_TRIALS else 0


def _plural(shape: Shape) -> bool:
    return any(item.raw in _PLURALS for item in shape.items) or shape.has(_ONE_OF_MANY)
