"""What is asked in one frame about many rows: definitions, yes or no, moods, code, letters, what was told before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mini.example import Example, Piece, step
from mini.talk_words import a, capital, erred, errs, rows, spoken, text

if TYPE_CHECKING:
    from random import Random

_MEAN = (
    'What does "{}" mean?',
    "What does {} mean?",
    "What is the meaning of {}?",
    "Define {}.",
    "Explain the word {}.",
    "Give me a definition of {}.",
    "What does the word {} mean?",
    "Meaning of {}?",
    "Can you define {}?",
    "I do not know the word {}. What does it mean?",
)
_MOOD = (
    "Is this positive or negative: {}",
    "Positive or negative: {}",
    "What is the sentiment of this sentence: {}",
    "Classify the sentiment as positive or negative: {}",
    "Does this sound happy or unhappy: {}",
    "Is the mood of this sentence positive or negative: {}",
    "Say whether this is positive or negative: {}",
    "Is this a good or a bad review: {}",
)
_CODE = (
    "How do I {} in {}?",
    "How can I {} in {}?",
    "Write {} to {}.",
    "Give me a line of {} to {}.",
    "Show me how to {} in {}.",
    "{}: {}",
    "I want to {} in {}.",
    "What is the {} code to {}?",
    "How to {} with {}?",
    "One line of {} to {}, please.",
)
_MAIL = (
    "Write an e-mail {}.",
    "Write a short e-mail {}.",
    "Please write an e-mail {}.",
    "Can you write an e-mail {}?",
    "I need an e-mail {}.",
    "Draft an e-mail {}.",
    "Compose a short e-mail {}.",
    "Help me write an e-mail {}.",
)
_COMMIT = (
    "Write a commit message for this change: {}",
    "Commit message: {}",
    "Give me a git commit message for this: {}",
    "What is a good commit message for this: {}",
    "Please write a commit message: {}",
    "Turn this into a commit message: {}",
    "Summarise as a commit message: {}",
    "A short commit message, please: {}",
)
_NAMES = tuple(text("names.txt").split())
_THINGS = (
    ("My name is {}.", "What is my name?", "Your name is {}.", _NAMES),
    ("Hi, my name is {}.", "Do you know my name?", "Yes, your name is {}.", _NAMES),
    ("Hello, I'm {}", "What's my name?", "Your name is {}.", _NAMES),
    ("You can call me {}.", "What is my name?", "Your name is {}.", _NAMES),
    ("My sister is called {}.", "What is my sister called?", "Your sister is called {}.", _NAMES),
    ("My friend is called {}.", "What is the name of my friend?", "Your friend is called {}.", _NAMES),
    ("I am {}, hello!", "Who am I?", "You are {}.", _NAMES),
    ("My dog is called {}.", "What is my dog called?", "Your dog is called {}.", ("Bruno", "Bella", "Rex", "Luna")),
    ("My cat is called {}.", "What is the name of my cat?", "Your cat is called {}.", ("Minka", "Felix", "Tiger")),
    ("My favourite colour is {}.", "What is my favourite colour?", "Your favourite colour is {}.", ("blue", "red")),
    ("I live in {}.", "Where do I live?", "You live in {}.", ("Berlin", "Rome", "Oslo", "Vienna", "Lima")),
    ("I work as a {}.", "What is my job?", "You work as a {}.", ("baker", "teacher", "nurse", "pilot")),
    ("I like {}.", "What do I like?", "You like {}.", ("tea", "music", "football", "apples", "long walks")),
    ("I have a meeting on {}.", "When is my meeting?", "Your meeting is on {}.", ("Monday", "Friday", "Tuesday")),
    ("I bought {} today.", "What did I buy today?", "You bought {} today.", ("bread", "a lamp", "a book", "milk")),
)
_STARTS = ("Br", "D", "F", "Gl", "H", "J", "K", "L", "M", "N", "P", "Qu", "R", "S", "T", "V", "W", "Z", "Tr", "Sk")
_VOWELS = ("a", "e", "i", "o", "u", "ou", "ei")
_ENDS = ("bel", "dor", "fen", "gas", "kin", "lund", "mer", "nik", "pold", "rix", "son", "tov", "vane", "wick", "zam")
_WHO = (
    ("Who is {0} {1}?", "was a famous painter"),
    ("Who was {0} {1}?", "was a king"),
    ("When was {0} {1} born?", "was born in 1850"),
    ("What did {0} {1} invent?", "invented the clock"),
    ("Tell me about {0} {1}.", "was a well-known writer"),
    ("What do you know about {0} {1}?", "won a prize for physics"),
    ("What is the capital of {0}?", "has a capital on the coast"),
    ("Where is {0}?", "is a town in the mountains"),
    ("In which country is {0}?", "lies in Europe"),
    ("What is a {0}?", "is a kind of bird"),
    ("What does {0} mean?", "means small"),
    ("How many people live in {0}?", "has a million inhabitants"),
    ("Who invented the {0}?", "was invented in France"),
    ("Who wrote {0}?", "was written by Homer"),
    ("Explain {0}.", "is a method of mathematics"),
)
_TOOK_NOTE = ("Good to know.", "Thank you for telling me.", "All right, I see.", "Nice! What can I do for you?")


def definition(rng: Random) -> Example:
    """Return a question for what a word means."""
    word, sort, meaning = rng.choice(rows("definitions.txt"))
    thought = [step(f'"{word}" is {a(sort)}.')]
    if errs(rng):
        _, its, wrong = rng.choice([row for row in rows("definitions.txt") if row[2] != meaning and row[1] == sort])
        neighbour = next(row[0] for row in rows("definitions.txt") if (row[1], row[2]) == (its, wrong))
        thought += erred(f"It means: {wrong}.", f'That is "{neighbour}". "{word}" means: {meaning}.')
    else:
        thought.append(step(f"It means: {meaning}."))
    question = spoken(rng, rng.choice(_MEAN).format(word))
    return Example("definition", question, tuple(thought), f'"{capital(word)}" means {meaning}.', meaning)


def yes_no(rng: Random) -> Example:
    """Return a question of common sense, to be answered with yes or no and the reason."""
    right, question, reason = rng.choice(rows("yesno.txt"))
    thought = [step(f"The question is: {question}")]
    if errs(rng):
        wrong = "No" if right == "Yes" else "Yes"
        thought += erred(f"{wrong}.", f"{reason} So {wrong.lower()} is wrong: the answer is {right.lower()}.")
    else:
        thought += [step(reason), step(f"So the answer is {right.lower()}.")]
    ways = (
        question,
        question,
        f"Tell me, {_lowered(question)}",
        f"True or false? {question}",
        f"{question} Yes or no?",
    )
    more = (f"I wonder, {_lowered(question)}", f"Quick question. {question}", f"{question} Why?", f"Hi! {question}")
    return Example("yes_no", spoken(rng, rng.choice(ways + more)), tuple(thought), f"{right}. {reason}", right)


def _lowered(question: str) -> str:
    return question[:1].lower() + question[1:]


def mood(rng: Random) -> Example:
    """Return a sentence whose mood is to be named."""
    right, words, sentence = rng.choice(rows("moods.txt"))
    wrong = "negative" if right == "positive" else "positive"
    thought = [step(f"I look at the words: {words}.")]
    if errs(rng):
        thought += erred(f"That sounds {wrong}.", f'No: "{words}" is {right}.')
    else:
        thought.append(step(f"That is {right}."))
    return Example("mood", rng.choice(_MOOD).format(sentence), tuple(thought), f"This is {right}.", right)


def code(rng: Random) -> Example:
    """Return a small task for one line of code."""
    task, language, idea, line = rng.choice(rows("code.txt"))
    way = rng.choice(_CODE)
    first = way.startswith(("Write", "Give", "{}:", "What", "One"))
    question = way.format(*((language, task) if first else (task, language)))
    thought = (step(f"The task, in {language}: {task}."), step(idea))
    fence = "sh" if language == "shell" else language.lower()
    return Example("code", spoken(rng, capital(question)), thought, f"```{fence}\n{line}\n```", line)


def mail(rng: Random) -> Example:
    """Return a request for a short e-mail."""
    purpose, content, written = rng.choice(rows("letters.txt"))
    thought = (step(f"An e-mail {purpose}."), step(f"It needs: {content}"), step("A subject, a greeting and a close."))
    text = "\n".join(line.strip() for line in written.split(" /"))
    return Example("mail", spoken(rng, rng.choice(_MAIL).format(purpose)), thought, text, "Subject:")


def commit(rng: Random) -> Example:
    """Return a change for which a message is to be written."""
    change, verb, message = rng.choice(rows("commits.txt"))
    thought = [step(f"What was done: {change}."), step(f'The verb comes first, as an order: "{verb}".')]
    if errs(rng):
        thought += erred(f"{change}.", f'A message is short and says what the commit does: "{message}".')
    return Example("commit", rng.choice(_COMMIT).format(change), tuple(thought), message, message)


def stranger(rng: Random) -> Example:
    """Return a question about a name that was made up, which nobody can know."""
    name = _invented(rng)
    question, it = rng.choice(_WHO)
    if "{0} {1}" in question:
        name = f"{name} {_invented(rng)}"
    thought: list[Piece] = [step(f"I look for {name} among what I know.")]
    if errs(rng):
        thought += erred(f"{name} {it}.", f"I made that up: I know nothing of the name {name}.")
    else:
        thought.append(step(f"I do not find {name}, and I do not want to make something up."))
    answer = rng.choice(("I do not know {}.", "I do not know {}, so I cannot say.", "I do not know anything about {}."))
    said = question.format(*name.split(" ")) if " " in name else question.format(name)
    return Example("stranger", spoken(rng, said), tuple(thought), answer.format(name), "I do not know")


def _invented(rng: Random) -> str:
    parts = (rng.choice(_STARTS) + rng.choice(_VOWELS), rng.choice(_STARTS) + rng.choice(_VOWELS), rng.choice(_ENDS))
    return capital("".join(parts[rng.randrange(2) :]).lower())


def told(rng: Random) -> Example:
    """Return a question for something that the user has said before."""
    said, question, answer, things = rng.choice(_THINGS)
    thing = rng.choice(things)
    before = said.format(thing)
    thought: list[Piece] = [step("I look whether this was said before.")]
    if errs(rng):
        thought += erred("It was not said.", f'It was: the first message says "{before}"')
    else:
        thought.append(step(f'It was: "{before}"'))
    earlier = ((before, rng.choice(_TOOK_NOTE)),)
    return Example("told", spoken(rng, question), tuple(thought), answer.format(thing), thing, earlier)
