"""What is asked in one frame about many rows: definitions, yes or no, moods, code, letters, what was told before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mini.example import Example, Piece, step
from mini.talk_words import a, capital, erred, errs, rows, spoken

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
_NAMES = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Lea",
    "Max",
    "Nora",
    "Tom",
)
_THINGS = (
    ("My name is {}.", "What is my name?", "Your name is {}.", _NAMES),
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
