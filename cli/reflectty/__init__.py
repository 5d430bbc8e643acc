"""A terminal assistant for reflection models: thinking, corrections and answer, apart.

The packages, in the order of the layers; each imports only what stands below it:

    main         the command: picks a subcommand, turns an error into one line and an exit code
    commands     one module a command group: arguments become values, values become one call
    tui          the chat: application, controller, turns, actions; composer, sessions, models, screens, widgets
    completion   candidates for the shells' completions
    evaluation   whether reflection helps: arms, question sets, grading, ledger, statistics, reports
    batch        many prompts of one file: scheduler, servers, records, resuming
    doctor       the checks of `reflect doctor`
    chat         one question: request, model choice, run, recorder, outcome
    config       settings: defaults, config file, profiles, environment; the user's folders
    export       a stored session as Markdown, HTML or JSON
    output       stdout and stderr: plain, live, JSON, tables
    view         rows of text: Markdown, formulas, thinking, summaries, widths
    store        sessions in SQLite: reading, writing, searching, recovery
    models       models on a server: manager, memory fit, repair, GGUF files, hardware
    engines      servers: HTTP connection, Ollama, OpenAI-compatible, built-in, fallback
    protocols    what servers send and take, as data: Ollama and OpenAI
    reasoning    how thinking is read: families, parser, modes, steering, the reply
    system       the machine: terminal, signals, editor, programs, themes, assets
    core         values shared by all: messages, session, errors, options, safety, schema
"""

__version__ = "0.1.0"
