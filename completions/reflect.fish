# Completions of reflect for fish, generated from the command itself: reflect completions install puts them in place.

function __reflect_about
    set -g __reflect_subcommands; set -g __reflect_default ''
    set -g __reflect_options; set -g __reflect_places
    switch $argv[1]
        case ''
            set -g __reflect_subcommands 'ask' 'Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout' 'batch' 'Ask every line of a file and write one line of JSON for each, in the same order' 'compare' 'Ask one question in several ways, side by side, and tell whether the answers agree' 'completions' 'Install or print completions for bash, zsh and fish (default: show, on a terminal how to install them)' 'config' 'Show and change the settings (default: show)' 'doctor' 'Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes' 'eval' 'Measure whether reflection helps, on your model and your questions (default: list)' 'last' 'Print the last answer again: of this terminal\'s last session, or of another one' 'models' 'Manage the models on a server (default: list)' 'probe' 'Tell what a correction of a reply is worth: goes on with it and without it, and compares the final answers' 'sessions' 'Read, search, export and manage saved sessions (default: list)' 'templates' 'Manage prompt templates, used with -t (default: list)' 'help' 'Show the help of a command'
            set -g __reflect_default ''
            set -g __reflect_options '--file' 'A text file to ask about; - reads stdin' '-f' 'A text file to ask about; - reads stdin' '--image' 'An image to ask about; - reads stdin' '--template' 'Put the question into a template (`none` disables)' '-t' 'Put the question into a template (`none` disables)' '--field' 'A value for a field of the template' '--system' 'A system prompt, added to the model\'s own; - reads stdin' '-s' 'A system prompt, added to the model\'s own; - reads stdin' '--schema' 'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin' '--edit' 'Write the question in your editor, from the words given' '-e' 'Write the question in your editor, from the words given' '--no-stdin' 'Do not read stdin' '--model' 'The model to ask' '-m' 'The model to ask' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--option' 'A model option, such as num_ctx, temperature or seed' '-o' 'A model option, such as num_ctx, temperature or seed' '--keep-alive' 'How long the model stays loaded: 10m, 0, -1' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--deadline' 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' '--mode' 'How the model reflects: natively or with its own tags, by a prompt, or not at all' '--effort' 'How much the model thinks' '--budget' 'End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off' '--loops' 'What to do with a thinking that repeats itself' '--until-settled' 'End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`' '--samples' 'Ask so many times and show the answer that most replies agree on; 1 asks once' '--verify' 'Take the reply as a draft: the model checks it by questions of its own and answers anew' '--family' 'How the reply marks its thinking, such as reflection, think, harmony, any or none' '--keep-thinking' 'Send the thinking of earlier turns back to the model; auto: if its family was trained with it' '--final' 'Print the final answer and nothing else' '--code' 'Print only the last block of code of the answer, as --final does' '-x' 'Print only the last block of code of the answer, as --final does' '--show' 'What to show: thinking,reflection,answer' '--no-thinking' 'Hide the thinking; --mode direct turns it off' '--json' 'Print the whole reply as one JSON object' '--jsonl' 'Print each piece as JSON as it arrives, then the object' '--raw' 'Print the reply as the model wrote it, with its tags; not to a terminal' '--stats' 'Print statistics of the reply to stderr' '--quiet' 'Print only errors to stderr' '-q' 'Print only errors to stderr' '--inline' 'Chat line by line, in the terminal\'s own scrollback' '--continue' 'Continue the last session' '-c' 'Continue the last session' '--session' 'Continue a session, named by its title or the start of its id' '--no-store' 'Do not save this question; a continued session is still read' '--version' 'Print the version and exit' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places '*'
        case 'ask'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--file' 'A text file to ask about; - reads stdin' '-f' 'A text file to ask about; - reads stdin' '--image' 'An image to ask about; - reads stdin' '--template' 'Put the question into a template (`none` disables)' '-t' 'Put the question into a template (`none` disables)' '--field' 'A value for a field of the template' '--system' 'A system prompt, added to the model\'s own; - reads stdin' '-s' 'A system prompt, added to the model\'s own; - reads stdin' '--schema' 'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin' '--edit' 'Write the question in your editor, from the words given' '-e' 'Write the question in your editor, from the words given' '--no-stdin' 'Do not read stdin' '--model' 'The model to ask' '-m' 'The model to ask' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--option' 'A model option, such as num_ctx, temperature or seed' '-o' 'A model option, such as num_ctx, temperature or seed' '--keep-alive' 'How long the model stays loaded: 10m, 0, -1' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--deadline' 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' '--mode' 'How the model reflects: natively or with its own tags, by a prompt, or not at all' '--effort' 'How much the model thinks' '--budget' 'End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off' '--loops' 'What to do with a thinking that repeats itself' '--until-settled' 'End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`' '--samples' 'Ask so many times and show the answer that most replies agree on; 1 asks once' '--verify' 'Take the reply as a draft: the model checks it by questions of its own and answers anew' '--family' 'How the reply marks its thinking, such as reflection, think, harmony, any or none' '--keep-thinking' 'Send the thinking of earlier turns back to the model; auto: if its family was trained with it' '--final' 'Print the final answer and nothing else' '--code' 'Print only the last block of code of the answer, as --final does' '-x' 'Print only the last block of code of the answer, as --final does' '--show' 'What to show: thinking,reflection,answer' '--no-thinking' 'Hide the thinking; --mode direct turns it off' '--json' 'Print the whole reply as one JSON object' '--jsonl' 'Print each piece as JSON as it arrives, then the object' '--raw' 'Print the reply as the model wrote it, with its tags; not to a terminal' '--stats' 'Print statistics of the reply to stderr' '--quiet' 'Print only errors to stderr' '-q' 'Print only errors to stderr' '--inline' 'Chat line by line, in the terminal\'s own scrollback' '--continue' 'Continue the last session' '-c' 'Continue the last session' '--session' 'Continue a session, named by its title or the start of its id' '--no-store' 'Do not save this question; a continued session is still read' '--version' 'Print the version and exit' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places '*'
        case 'batch'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--output' 'Write to a file: each line as soon as it finishes; the file is sorted at the end' '--resume' 'Continue the output file: ask only the lines that are missing or failed' '--force' 'Overwrite the output file if it exists' '--unordered' 'Write each line as it finishes, not in the order of the questions' '--fields' 'Fields of --json to write besides line, id and error, such as answer,usage,thinking,prompt,host' '--full' 'Write every field of --json and the question' '--format' 'Lines of questions or of JSON objects, one JSON array, or CSV; objects have a prompt or messages, and may have id, model, system, fields of the template and members to pass through' '--jobs' 'How many lines to send to each server at once' '-j' 'How many lines to send to each server at once' '--retry' 'How many times to retry if a server is busy or a reply is cut off' '--patience' 'How long to wait while no server is reachable' '--limit' 'Ask only the first N lines' '--sample' 'Ask N lines drawn at random, the same for each --seed' '--seed' 'The seed of --sample' '--model' 'The model to ask' '-m' 'The model to ask' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--template' 'Put the question into a template (`none` disables)' '-t' 'Put the question into a template (`none` disables)' '--field' 'A value for a field of the template' '--host' 'A server, as in OLLAMA_HOST; repeat it to spread the lines across several servers' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--mode' 'How the model reflects: natively or with its own tags, by a prompt, or not at all' '--effort' 'How much the model thinks' '--budget' 'End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off' '--loops' 'What to do with a thinking that repeats itself' '--until-settled' 'End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`' '--samples' 'Ask so many times and show the answer that most replies agree on; 1 asks once' '--verify' 'Take the reply as a draft: the model checks it by questions of its own and answers anew' '--family' 'How the reply marks its thinking, such as reflection, think, harmony, any or none' '--system' 'A system prompt, added to the model\'s own; - reads stdin' '-s' 'A system prompt, added to the model\'s own; - reads stdin' '--option' 'A model option, such as num_ctx, temperature or seed' '-o' 'A model option, such as num_ctx, temperature or seed' '--keep-alive' 'How long the model stays loaded: 10m, 0, -1' '--schema' 'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--deadline' 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' '--quiet' 'Print only errors to stderr' '-q' 'Print only errors to stderr' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'files'
        case 'compare'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--arms' 'The ways of asking, with commas: direct, cot (step by step), reflect, revise, think, vote-5; with an effort, a budget or a model: think:low, think:2000, cot@MODEL' '--models' 'The models, with commas; each is asked in each way' '--file' 'A text file to ask about; - reads stdin' '-f' 'A text file to ask about; - reads stdin' '--image' 'An image to ask about; - reads stdin' '--template' 'Put the question into a template (`none` disables)' '-t' 'Put the question into a template (`none` disables)' '--field' 'A value for a field of the template' '--system' 'A system prompt, added to the model\'s own; - reads stdin' '-s' 'A system prompt, added to the model\'s own; - reads stdin' '--no-stdin' 'Do not read stdin' '--model' 'The model to ask' '-m' 'The model to ask' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--option' 'A model option, such as num_ctx, temperature or seed' '-o' 'A model option, such as num_ctx, temperature or seed' '--keep-alive' 'How long the model stays loaded: 10m, 0, -1' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--deadline' 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' '--json' 'Print all replies as one JSON object' '--quiet' 'Print only errors to stderr' '-q' 'Print only errors to stderr' '--no-store' 'Do not save this question; a continued session is still read' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places '*'
        case 'completions'
            set -g __reflect_subcommands 'install' 'Install the completions where the shell looks for them' 'show' 'Print the completion script of a shell' 'path' 'Print the path of the completion script; the file may not exist'
            set -g __reflect_default 'show'
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'completions install'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--shell' 'The shell' '--force' 'Overwrite a file that reflect did not write' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'completions show'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places ''
        case 'completions path'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places ''
        case 'config'
            set -g __reflect_subcommands 'show' 'Show every setting, its value, and where it comes from' 'list' 'Show every setting, its value, and where it comes from' 'get' 'Print the value in effect of one setting, alone on a line' 'set' 'Set a value; comments, order and the rest of the file stay unchanged' 'unset' 'Remove a value or a whole profile from the file; the rest stays unchanged' 'edit' 'Open the file in your editor, then report invalid settings' 'path' 'Print the path of the config file; it may not exist' 'schema' 'Print the JSON Schema of the config file, for your editor'
            set -g __reflect_default 'show'
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'config show'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'config list'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'config get'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'keys'
        case 'config set'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'keys' 'values*'
        case 'config unset'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'keys'
        case 'config edit'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'config path'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'config schema'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'doctor'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--model' 'The model to ask' '-m' 'The model to ask' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--no-question' 'Do not ask the model a question; 0 then means only that no problem prevents an answer' '--json' 'Print the findings as one JSON object' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'eval'
            set -g __reflect_subcommands 'run' 'Ask questions with known answers in several ways' 'list' 'List the runs, latest first' 'report' 'Show what a run found' 'regrade' 'Grade the answers of a run again, offline' 'apply' 'Ask as a run has shown to be best' 'fetch' 'Download public sets of questions' 'path' 'Print the folder of the runs'
            set -g __reflect_default 'list'
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'eval run'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--arms' 'Ways of asking, the first is the baseline: direct, cot, reflect, revise, think, think:low, think:2000, vote-5, WAY@MODEL' '--models' 'Ask each of these models in every arm' '--questions' 'How many: a number, or quick (50), standard (200), solid (500), full' '-n' 'How many: a number, or quick (50), standard (200), solid (500), full' '--seed' 'The seed of the questions and of the sampling' '--max-tokens' 'The most tokens of a reply, thinking included, in every arm' '--output' 'Write the run to a file of your own' '--resume' 'Continue a run: its name or file, or last' '--from-sessions' 'Ask questions of your saved sessions; you say which answers are right' '--yes' 'With --from-sessions, ask nothing: take the questions that you graded before' '-y' 'With --from-sessions, ask nothing: take the questions that you graded before' '--bare' 'Ask each question alone, without our instructions: for models that follow none, and for questions that have their own' '--probe' 'Then probe K corrections: go on with and without each, to see what it was worth' '--plan' 'Show what would be asked, and ask nothing' '--jobs' 'How many questions to ask each server at once' '-j' 'How many questions to ask each server at once' '--retry' 'How many times to retry if a server is busy or a reply is cut off' '--patience' 'How long to wait while no server is reachable' '--model' 'The model to ask' '-m' 'The model to ask' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--host' 'A server, as in OLLAMA_HOST; repeat it to spread the lines across several servers' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--system' 'A system prompt, added to the model\'s own; - reads stdin' '-s' 'A system prompt, added to the model\'s own; - reads stdin' '--option' 'A model option, such as num_ctx, temperature or seed' '-o' 'A model option, such as num_ctx, temperature or seed' '--keep-alive' 'How long the model stays loaded: 10m, 0, -1' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--deadline' 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' '--quiet' 'Print only errors to stderr' '-q' 'Print only errors to stderr' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'files'
        case 'eval list'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'eval report'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--format' 'The form of the report' '--output' 'Write to a file; - is stdout' '-o' 'Write to a file; - is stdout' '--force' 'Overwrite an existing file' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'runs'
        case 'eval regrade'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--dry-run' 'Show what would change, and write nothing' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'runs'
        case 'eval apply'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--arm' 'The arm to ask by' '--profile' 'Write it into a profile' '--force' 'Write it even if the run has shown no gain, or is unfinished' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'runs'
        case 'eval fetch'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--force' 'Download again what is there' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places '*'
        case 'eval path'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'last'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--code' 'Print only its last block of code' '-x' 'Print only its last block of code' '--thinking' 'Print the thinking instead' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions'
        case 'models'
            set -g __reflect_subcommands 'list' 'List the models: their size, what they can do, where they run' 'show' 'Show the details of a model and how it would be asked' 'pull' 'Download or update a model' 'create' 'Make a reflecting variant of an installed model; `create mini` installs the built-in one' 'repair' 'Restore the tags that a model loses, in a copy of it' 'copy' 'Give a model a second name; uses no extra disk space' 'remove' 'Remove models from the server for good' 'load' 'Load a model and show where it runs' 'unload' 'Unload a model; it stays installed'
            set -g __reflect_default 'list'
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'models list'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'models show'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--template' 'Print only the template' '--system' 'Print only the system prompt' '--parameters' 'Print only the parameters' '--licence' 'Print only the license' '--license' 'Print only the license' '--context' 'The context length to estimate for' '--profile' 'Use a profile from the config file (overrides environment variables; `none` disables)' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models'
        case 'models pull'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--insecure' 'Let the server use plain HTTP to reach the registry' '--context' 'The context length to estimate for' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--jsonl' 'Print the server\'s progress as JSON lines, then the object' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models'
        case 'models create'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--from' 'The installed model to start from; mini needs none' '--system' 'A system prompt, added to the source\'s own; the prompt that teaches the tags is added too' '-s' 'A system prompt, added to the source\'s own; the prompt that teaches the tags is added too' '--template' 'Use another template' '--parameter' 'Override a parameter of the source, such as temperature or num_ctx' '-p' 'Override a parameter of the source, such as temperature or num_ctx' '--no-proof' 'Do not test the new model with a question' '--force' 'Overwrite an existing model' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places ''
        case 'models repair'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--gguf' 'The model\'s GGUF on this machine, if the server is on another' '--token' 'A token to restore besides the known tags' '--name' 'The name of the copy' '--force' 'Overwrite an existing model' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models'
        case 'models copy'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--force' 'Overwrite an existing model' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models' ''
        case 'models remove'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--yes' 'Do not ask for confirmation' '-y' 'Do not ask for confirmation' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models*'
        case 'models load'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--keep-alive' 'How long the model stays loaded: 10m, 0, -1' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models'
        case 'models unload'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'models'
        case 'probe'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--turn' 'The number of the question' '--correction' 'The number of the correction' '--all' 'Probe all corrections, tagged or read in the thinking' '--most' 'With --all, probe at most N' '--samples' 'Go on N times with the correction, and N times without' '-n' 'Go on N times with the correction, and N times without' '--method' 'Without the correction, let the model go on, or put a sentence that says nothing in its place' '--answer' 'The right answer' '--seed' 'The seed of the first continuations' '--jobs' 'How many at once' '-j' 'How many at once' '--model' 'The model to ask' '-m' 'The model to ask' '--host' 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' '--engine' 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' '--timeout' 'How long to wait for output, or connect=5,first=300,idle=120' '--yes' 'Do not ask for confirmation' '-y' 'Do not ask for confirmation' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions'
        case 'sessions'
            set -g __reflect_subcommands 'list' 'List the sessions, latest first' 'show' 'Show a session: questions, thinking with its corrections, answers' 'search' 'Search titles, questions, thinking, corrections and answers' 'stats' 'Count how models thought in the stored replies, and what --until-settled would do' 'export' 'Export a session as Markdown, HTML or JSON' 'import' 'Import sessions that were exported as JSON, with all their branches; prints the new ids' 'rename' 'Rename a session' 'remove' 'Remove sessions for good' 'fork' 'Start a new session from a copy of this one; prints its id' 'prune' 'Remove old sessions for good' 'path' 'Print the path of the file with the sessions; it may not exist'
            set -g __reflect_default 'list'
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'sessions list'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--limit' 'Show at most N' '-n' 'Show at most N' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'sessions show'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--no-thinking' 'Show only the summary of the thinking' '--all' 'Show every branch, not only the last viewed one' '-a' 'Show every branch, not only the last viewed one' '--tree' 'Show all branches as a tree, a line a turn' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions'
        case 'sessions search'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--kind' 'Find second thoughts of this kind in the thinking; words are optional' '--limit' 'Show at most N' '-n' 'Show at most N' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places '*'
        case 'sessions stats'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'sessions export'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--format' 'The format of the document' '--output' 'Write to a file; - writes to stdout' '--force' 'Overwrite an existing file' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions'
        case 'sessions import'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'files*'
        case 'sessions rename'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions' '*'
        case 'sessions remove'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--yes' 'Do not ask for confirmation' '-y' 'Do not ask for confirmation' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions*'
        case 'sessions fork'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--at' 'The number of the last question to copy' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'sessions'
        case 'sessions prune'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--older-than' 'Sessions without a turn for this long: 90d, 12h' '--yes' 'Do not ask for confirmation' '-y' 'Do not ask for confirmation' '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'sessions path'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'templates'
            set -g __reflect_subcommands 'list' 'List the templates with their fields and the start of their text' 'show' 'Print a template: its settings, if it has any, and its text' 'edit' 'Edit a template in your editor; creates it if it does not exist' 'remove' 'Remove templates for good' 'path' 'Print the path of a template or of the templates folder; it may not exist'
            set -g __reflect_default 'list'
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'templates list'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places
        case 'templates show'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'templates'
        case 'templates edit'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'templates'
        case 'templates remove'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--yes' 'Do not ask for confirmation' '-y' 'Do not ask for confirmation' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'templates*'
        case 'templates path'
            set -g __reflect_subcommands
            set -g __reflect_default ''
            set -g __reflect_options '--json' 'Print JSON' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
            set -g __reflect_places 'templates'
        case 'help'
            set -g __reflect_subcommands 'ask' 'Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout' 'batch' 'Ask every line of a file and write one line of JSON for each, in the same order' 'compare' 'Ask one question in several ways, side by side, and tell whether the answers agree' 'completions' 'Install or print completions for bash, zsh and fish (default: show, on a terminal how to install them)' 'config' 'Show and change the settings (default: show)' 'doctor' 'Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes' 'eval' 'Measure whether reflection helps, on your model and your questions (default: list)' 'last' 'Print the last answer again: of this terminal\'s last session, or of another one' 'models' 'Manage the models on a server (default: list)' 'probe' 'Tell what a correction of a reply is worth: goes on with it and without it, and compares the final answers' 'sessions' 'Read, search, export and manage saved sessions (default: list)' 'templates' 'Manage prompt templates, used with -t (default: list)'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
        case 'help completions'
            set -g __reflect_subcommands 'install' 'Install the completions where the shell looks for them' 'show' 'Print the completion script of a shell' 'path' 'Print the path of the completion script; the file may not exist'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
        case 'help config'
            set -g __reflect_subcommands 'show' 'Show every setting, its value, and where it comes from' 'list' 'Show every setting, its value, and where it comes from' 'get' 'Print the value in effect of one setting, alone on a line' 'set' 'Set a value; comments, order and the rest of the file stay unchanged' 'unset' 'Remove a value or a whole profile from the file; the rest stays unchanged' 'edit' 'Open the file in your editor, then report invalid settings' 'path' 'Print the path of the config file; it may not exist' 'schema' 'Print the JSON Schema of the config file, for your editor'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
        case 'help eval'
            set -g __reflect_subcommands 'run' 'Ask questions with known answers in several ways' 'list' 'List the runs, latest first' 'report' 'Show what a run found' 'regrade' 'Grade the answers of a run again, offline' 'apply' 'Ask as a run has shown to be best' 'fetch' 'Download public sets of questions' 'path' 'Print the folder of the runs'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
        case 'help models'
            set -g __reflect_subcommands 'list' 'List the models: their size, what they can do, where they run' 'show' 'Show the details of a model and how it would be asked' 'pull' 'Download or update a model' 'create' 'Make a reflecting variant of an installed model; `create mini` installs the built-in one' 'repair' 'Restore the tags that a model loses, in a copy of it' 'copy' 'Give a model a second name; uses no extra disk space' 'remove' 'Remove models from the server for good' 'load' 'Load a model and show where it runs' 'unload' 'Unload a model; it stays installed'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
        case 'help sessions'
            set -g __reflect_subcommands 'list' 'List the sessions, latest first' 'show' 'Show a session: questions, thinking with its corrections, answers' 'search' 'Search titles, questions, thinking, corrections and answers' 'stats' 'Count how models thought in the stored replies, and what --until-settled would do' 'export' 'Export a session as Markdown, HTML or JSON' 'import' 'Import sessions that were exported as JSON, with all their branches; prints the new ids' 'rename' 'Rename a session' 'remove' 'Remove sessions for good' 'fork' 'Start a new session from a copy of this one; prints its id' 'prune' 'Remove old sessions for good' 'path' 'Print the path of the file with the sessions; it may not exist'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
        case 'help templates'
            set -g __reflect_subcommands 'list' 'List the templates with their fields and the start of their text' 'show' 'Print a template: its settings, if it has any, and its text' 'edit' 'Edit a template in your editor; creates it if it does not exist' 'remove' 'Remove templates for good' 'path' 'Print the path of a template or of the templates folder; it may not exist'
            set -g __reflect_default ''
            set -g __reflect_options 
            set -g __reflect_places
    end
end

function __reflect_value
    set -g __reflect_kind ''; set -g __reflect_choices
    switch $argv[1]
        case ' --file' ' -f'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case ' --image'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case ' --template' ' -t'
            set -g __reflect_kind 'templates'
            set -g __reflect_choices
        case ' --field'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case ' --system' ' -s'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case ' --schema'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case ' --model' ' -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case ' --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case ' --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case ' --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case ' --option' ' -o'
            set -g __reflect_kind ''
            set -g __reflect_choices 'num_ctx=' 'num_predict=' 'num_keep=' 'seed=' 'temperature=' 'top_k=' 'top_p=' 'min_p=' 'typical_p=' 'repeat_last_n=' 'repeat_penalty=' 'presence_penalty=' 'frequency_penalty=' 'stop=' 'num_batch=' 'num_gpu=' 'main_gpu=' 'use_mmap=' 'num_thread=' 'draft_num_predict='
        case ' --keep-alive'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case ' --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case ' --deadline'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case ' --mode'
            set -g __reflect_kind ''
            set -g __reflect_choices 'auto' 'native' 'reflect' 'direct'
        case ' --effort'
            set -g __reflect_kind ''
            set -g __reflect_choices 'low' 'medium' 'high' 'max'
        case ' --budget'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case ' --loops'
            set -g __reflect_kind ''
            set -g __reflect_choices 'end' 'note' 'off'
        case ' --samples'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case ' --family'
            set -g __reflect_kind ''
            set -g __reflect_choices 'reflection' 'think' 'native' 'think_answer' 'reasoning_answer' 'exaone_deep' 'marco' 'seed_oss' 'magistral' 'openthinker' 'kimi_vl' 'kimi_k3' 'minimax_m3' 'apertus' 'gemma4' 'cohere' 'granite32' 'granite33' 'ernie45' 'solar_open' 'solar_open2' 'harmony' 'glimmer' 'inkling' 'k2_horizon' 'hy' 'plamo3' 'apriel' 'longcat' 'budget' 'any' 'none'
        case ' --keep-thinking'
            set -g __reflect_kind ''
            set -g __reflect_choices 'auto' 'on' 'off'
        case ' --show'
            set -g __reflect_kind ''
            set -g __reflect_choices 'thinking' 'reflection' 'answer'
        case ' --session'
            set -g __reflect_kind 'sessions'
            set -g __reflect_choices
        case 'ask --file' 'ask -f'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'ask --image'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'ask --template' 'ask -t'
            set -g __reflect_kind 'templates'
            set -g __reflect_choices
        case 'ask --field'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'ask --system' 'ask -s'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case 'ask --schema'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'ask --model' 'ask -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'ask --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'ask --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'ask --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'ask --option' 'ask -o'
            set -g __reflect_kind ''
            set -g __reflect_choices 'num_ctx=' 'num_predict=' 'num_keep=' 'seed=' 'temperature=' 'top_k=' 'top_p=' 'min_p=' 'typical_p=' 'repeat_last_n=' 'repeat_penalty=' 'presence_penalty=' 'frequency_penalty=' 'stop=' 'num_batch=' 'num_gpu=' 'main_gpu=' 'use_mmap=' 'num_thread=' 'draft_num_predict='
        case 'ask --keep-alive'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'ask --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'ask --deadline'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'ask --mode'
            set -g __reflect_kind ''
            set -g __reflect_choices 'auto' 'native' 'reflect' 'direct'
        case 'ask --effort'
            set -g __reflect_kind ''
            set -g __reflect_choices 'low' 'medium' 'high' 'max'
        case 'ask --budget'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'ask --loops'
            set -g __reflect_kind ''
            set -g __reflect_choices 'end' 'note' 'off'
        case 'ask --samples'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'ask --family'
            set -g __reflect_kind ''
            set -g __reflect_choices 'reflection' 'think' 'native' 'think_answer' 'reasoning_answer' 'exaone_deep' 'marco' 'seed_oss' 'magistral' 'openthinker' 'kimi_vl' 'kimi_k3' 'minimax_m3' 'apertus' 'gemma4' 'cohere' 'granite32' 'granite33' 'ernie45' 'solar_open' 'solar_open2' 'harmony' 'glimmer' 'inkling' 'k2_horizon' 'hy' 'plamo3' 'apriel' 'longcat' 'budget' 'any' 'none'
        case 'ask --keep-thinking'
            set -g __reflect_kind ''
            set -g __reflect_choices 'auto' 'on' 'off'
        case 'ask --show'
            set -g __reflect_kind ''
            set -g __reflect_choices 'thinking' 'reflection' 'answer'
        case 'ask --session'
            set -g __reflect_kind 'sessions'
            set -g __reflect_choices
        case 'batch --output'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'batch --fields'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --format'
            set -g __reflect_kind ''
            set -g __reflect_choices 'lines' 'jsonl' 'json' 'csv'
        case 'batch --jobs' 'batch -j'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --retry'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --patience'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --limit'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --sample'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --seed'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --model' 'batch -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'batch --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'batch --template' 'batch -t'
            set -g __reflect_kind 'templates'
            set -g __reflect_choices
        case 'batch --field'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'batch --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'batch --mode'
            set -g __reflect_kind ''
            set -g __reflect_choices 'auto' 'native' 'reflect' 'direct'
        case 'batch --effort'
            set -g __reflect_kind ''
            set -g __reflect_choices 'low' 'medium' 'high' 'max'
        case 'batch --budget'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --loops'
            set -g __reflect_kind ''
            set -g __reflect_choices 'end' 'note' 'off'
        case 'batch --samples'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --family'
            set -g __reflect_kind ''
            set -g __reflect_choices 'reflection' 'think' 'native' 'think_answer' 'reasoning_answer' 'exaone_deep' 'marco' 'seed_oss' 'magistral' 'openthinker' 'kimi_vl' 'kimi_k3' 'minimax_m3' 'apertus' 'gemma4' 'cohere' 'granite32' 'granite33' 'ernie45' 'solar_open' 'solar_open2' 'harmony' 'glimmer' 'inkling' 'k2_horizon' 'hy' 'plamo3' 'apriel' 'longcat' 'budget' 'any' 'none'
        case 'batch --system' 'batch -s'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case 'batch --option' 'batch -o'
            set -g __reflect_kind ''
            set -g __reflect_choices 'num_ctx=' 'num_predict=' 'num_keep=' 'seed=' 'temperature=' 'top_k=' 'top_p=' 'min_p=' 'typical_p=' 'repeat_last_n=' 'repeat_penalty=' 'presence_penalty=' 'frequency_penalty=' 'stop=' 'num_batch=' 'num_gpu=' 'main_gpu=' 'use_mmap=' 'num_thread=' 'draft_num_predict='
        case 'batch --keep-alive'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --schema'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'batch --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'batch --deadline'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'compare --arms'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'compare --models'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'compare --file' 'compare -f'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'compare --image'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'compare --template' 'compare -t'
            set -g __reflect_kind 'templates'
            set -g __reflect_choices
        case 'compare --field'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'compare --system' 'compare -s'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case 'compare --model' 'compare -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'compare --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'compare --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'compare --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'compare --option' 'compare -o'
            set -g __reflect_kind ''
            set -g __reflect_choices 'num_ctx=' 'num_predict=' 'num_keep=' 'seed=' 'temperature=' 'top_k=' 'top_p=' 'min_p=' 'typical_p=' 'repeat_last_n=' 'repeat_penalty=' 'presence_penalty=' 'frequency_penalty=' 'stop=' 'num_batch=' 'num_gpu=' 'main_gpu=' 'use_mmap=' 'num_thread=' 'draft_num_predict='
        case 'compare --keep-alive'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'compare --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'compare --deadline'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'completions install --shell'
            set -g __reflect_kind ''
            set -g __reflect_choices 'bash' 'zsh' 'fish'
        case 'completions show 0'
            set -g __reflect_kind ''
            set -g __reflect_choices 'bash' 'zsh' 'fish'
        case 'completions path 0'
            set -g __reflect_kind ''
            set -g __reflect_choices 'bash' 'zsh' 'fish'
        case 'config show --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'config list --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'config get --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'doctor --model' 'doctor -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'doctor --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'doctor --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'doctor --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'doctor --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --arms'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --models'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --questions' 'eval run -n'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --seed'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --max-tokens'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --output'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'eval run --resume'
            set -g __reflect_kind 'runs'
            set -g __reflect_choices
        case 'eval run --probe'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --jobs' 'eval run -j'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --retry'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --patience'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --model' 'eval run -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'eval run --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'eval run --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'eval run --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'eval run --system' 'eval run -s'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case 'eval run --option' 'eval run -o'
            set -g __reflect_kind ''
            set -g __reflect_choices 'num_ctx=' 'num_predict=' 'num_keep=' 'seed=' 'temperature=' 'top_k=' 'top_p=' 'min_p=' 'typical_p=' 'repeat_last_n=' 'repeat_penalty=' 'presence_penalty=' 'frequency_penalty=' 'stop=' 'num_batch=' 'num_gpu=' 'main_gpu=' 'use_mmap=' 'num_thread=' 'draft_num_predict='
        case 'eval run --keep-alive'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run --deadline'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval run 0'
            set -g __reflect_kind 'files'
            set -g __reflect_choices 'builtin' 'gsm8k' 'mmlu' 'mmlu-redux' 'math500'
        case 'eval report --format'
            set -g __reflect_kind ''
            set -g __reflect_choices 'table' 'markdown' 'html' 'json' 'csv' 'errorbars'
        case 'eval report --output' 'eval report -o'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'eval apply --arm'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'eval apply --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'eval fetch 0'
            set -g __reflect_kind ''
            set -g __reflect_choices 'gsm8k' 'mmlu' 'mmlu-redux' 'math500'
        case 'models list --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'models list --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models list --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'models show --context'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'models show --profile'
            set -g __reflect_kind 'profiles'
            set -g __reflect_choices
        case 'models show --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models show --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'models pull --context'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'models pull --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models pull 0'
            set -g __reflect_kind 'models'
            set -g __reflect_choices 'reflection:70b' 'qwen3:32b' 'gpt-oss:20b' 'qwen3:14b' 'qwen3:8b' 'qwen3:4b' 'qwen3:1.7b' 'qwen3:0.6b'
        case 'models create --from'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'models create --system' 'models create -s'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case 'models create --template'
            set -g __reflect_kind 'texts'
            set -g __reflect_choices
        case 'models create --parameter' 'models create -p'
            set -g __reflect_kind ''
            set -g __reflect_choices 'num_ctx=' 'num_predict=' 'num_keep=' 'seed=' 'temperature=' 'top_k=' 'top_p=' 'min_p=' 'typical_p=' 'repeat_last_n=' 'repeat_penalty=' 'presence_penalty=' 'frequency_penalty=' 'stop=' 'num_batch=' 'num_gpu=' 'main_gpu=' 'use_mmap=' 'num_thread=' 'draft_num_predict='
        case 'models create --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models repair --gguf'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'models repair --token'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'models repair --name'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'models repair --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models copy --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models remove --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models load --keep-alive'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'models load --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'models unload --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'probe --turn'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --correction'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --most'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --samples' 'probe -n'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --method'
            set -g __reflect_kind ''
            set -g __reflect_choices 'resample' 'neutral'
        case 'probe --answer'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --seed'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --jobs' 'probe -j'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'probe --model' 'probe -m'
            set -g __reflect_kind 'models'
            set -g __reflect_choices
        case 'probe --host'
            set -g __reflect_kind 'hosts'
            set -g __reflect_choices
        case 'probe --engine'
            set -g __reflect_kind ''
            set -g __reflect_choices 'ollama' 'openai' 'embedded'
        case 'probe --timeout'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'sessions list --limit' 'sessions list -n'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'sessions search --kind'
            set -g __reflect_kind ''
            set -g __reflect_choices 'correction' 'check' 'alternative'
        case 'sessions search --limit' 'sessions search -n'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'sessions export --format'
            set -g __reflect_kind ''
            set -g __reflect_choices 'markdown' 'json' 'html'
        case 'sessions export --output'
            set -g __reflect_kind 'files'
            set -g __reflect_choices
        case 'sessions fork --at'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case 'sessions prune --older-than'
            set -g __reflect_kind ''
            set -g __reflect_choices
        case '*'
            return 1
    end
    return 0
end

# Takes one word of the line into account: the path, the place and the flag say where the next one stands.
function __reflect_read
    if test -n "$__reflect_flag"
        set -g __reflect_flag ''
        return
    end
    __reflect_about "$__reflect_path"
    if string match -q -- '-?*' $argv[1]; and test -z "$__reflect_ended"
        if test $argv[1] = --
            set -g __reflect_ended 1
            return
        end
        test -n "$__reflect_default"; and set -g __reflect_path "$__reflect_path $__reflect_default"
        __reflect_value "$__reflect_path $argv[1]"; and set -g __reflect_flag $argv[1]
    else
        if test $__reflect_place -eq 0 -a -z "$__reflect_ended"; and set -q __reflect_subcommands[1]
            for number in (seq 1 2 (count $__reflect_subcommands))
                if test $__reflect_subcommands[$number] = "$argv[1]"
                    set -g __reflect_path (string trim -- "$__reflect_path $argv[1]")
                    return
                end
            end
        end
        set -g __reflect_place (math $__reflect_place + 1)
    end
end

# Prints pairs of values and a few words on each; fish quotes what it inserts.
function __reflect_offer
    set -q argv[2]; or return
    for number in (seq 2 2 (count $argv))
        printf '%s\t%s\n' $argv[(math $number - 1)] $argv[$number]
    end
end

# Prints what may stand in one place, each after what stands before it in the word.
function __reflect_fill
    set -l word $argv[1]
    set -l before $argv[2]
    for one in $__reflect_choices
        printf '%s%s\n' $before $one
    end
    switch $__reflect_kind
        case ''
        case files
            for one in (__fish_complete_path "$word")
                printf '%s%s\n' $before $one
            end
        case texts
            if string match -q -- '@*' $word
                for one in (__fish_complete_path (string sub -s 2 -- $word))
                    printf '%s@%s\n' $before $one
                end
            end
        case '*'
            for one in (command reflect __complete $__reflect_kind "$word" $__reflect_words 2>/dev/null </dev/null)
                printf '%s%s\n' $before $one
            end
    end
end

function __reflect
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -g __reflect_words $words[2..-1]
    set -g __reflect_path ''
    set -g __reflect_place 0
    set -g __reflect_flag ''
    set -g __reflect_ended ''
    for one in $__reflect_words
        __reflect_read $one
    end
    set -l before ''
    if test -z "$__reflect_flag$__reflect_ended"; and string match -q -- '--*=*' $word
        __reflect_about "$__reflect_path"
        test -n "$__reflect_default"; and set -g __reflect_path "$__reflect_path $__reflect_default"
        set -l parts (string split -m 1 = -- $word)
        set -g __reflect_flag $parts[1]
        set before "$parts[1]="
        set word $parts[2]
    end
    # What was typed may still be in quotes.
    set word (string unescape -- "$word"; or string trim -l -c "'\"" -- "$word")
    if test -n "$__reflect_flag"
        __reflect_value "$__reflect_path $__reflect_flag"; and __reflect_fill "$word" "$before"
        return
    end
    __reflect_about "$__reflect_path"
    if string match -q -- '-*' $word; and test -z "$__reflect_ended"
        test -n "$__reflect_default"; and __reflect_about "$__reflect_path $__reflect_default"
        __reflect_offer $__reflect_options
        return
    end
    if test $__reflect_place -eq 0 -a -z "$__reflect_ended"
        __reflect_offer $__reflect_subcommands
    end
    set -l last (count $__reflect_places)
    test $last -gt 0; or return
    if test $__reflect_place -ge $last
        string match -q -- '*\*' $__reflect_places[$last]; or return
        set -g __reflect_place (math $last - 1)
    end
    __reflect_value "$__reflect_path $__reflect_place"
    or set -g __reflect_kind (string replace '*' '' -- $__reflect_places[(math $__reflect_place + 1)])
    __reflect_fill "$word" ''
end

complete -c reflect -f -k -a '(__reflect)'
