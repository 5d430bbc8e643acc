# Completions of reflect for bash, generated from the command itself: reflect completions install puts them in place.

_reflect_about() {
    subcommands=() default='' options=() places=()
    case $1 in
    '')
        subcommands=(ask 'Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout' batch 'Ask every line of a file and write one line of JSON for each, in the same order' compare 'Ask one question in several ways, side by side, and tell whether the answers agree' completions 'Install or print completions for bash, zsh and fish (default: show, on a terminal how to install them)' config 'Show and change the settings (default: show)' doctor 'Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes' eval 'Measure whether reflection helps, on your model and your questions (default: list)' last 'Print the last answer again: of this terminal'"'"'s last session, or of another one' models 'Manage the models on a server (default: list)' probe 'Tell what a correction of a reply is worth: goes on with it and without it, and compares the final answers' sessions 'Read, search, export and manage saved sessions (default: list)' templates 'Manage prompt templates, used with -t (default: list)' help 'Show the help of a command')
        default=''
        options=(--file 'A text file to ask about; - reads stdin' -f 'A text file to ask about; - reads stdin' --image 'An image to ask about; - reads stdin' --template 'Put the question into a template (`none` disables)' -t 'Put the question into a template (`none` disables)' --field 'A value for a field of the template' --system 'A system prompt, added to the model'"'"'s own; - reads stdin' -s 'A system prompt, added to the model'"'"'s own; - reads stdin' --schema 'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin' --edit 'Write the question in your editor, from the words given' -e 'Write the question in your editor, from the words given' --no-stdin 'Do not read stdin' --model 'The model to ask' -m 'The model to ask' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --option 'A model option, such as num_ctx, temperature or seed' -o 'A model option, such as num_ctx, temperature or seed' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --deadline 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' --mode 'How the model reflects: natively or with its own tags, by a prompt, or not at all' --effort 'How much the model thinks' --budget 'End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off' --loops 'What to do with a thinking that repeats itself' --until-settled 'End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`' --samples 'Ask so many times and show the answer that most replies agree on; 1 asks once' --verify 'Take the reply as a draft: the model checks it by questions of its own and answers anew' --family 'How the reply marks its thinking, such as reflection, think, harmony, any or none' --keep-thinking 'Send the thinking of earlier turns back to the model; auto: if its family was trained with it' --final 'Print the final answer and nothing else' --code 'Print only the last block of code of the answer, as --final does' -x 'Print only the last block of code of the answer, as --final does' --show 'What to show: thinking,reflection,answer' --no-thinking 'Hide the thinking; --mode direct turns it off' --json 'Print the whole reply as one JSON object' --jsonl 'Print each piece as JSON as it arrives, then the object' --raw 'Print the reply as the model wrote it, with its tags; not to a terminal' --stats 'Print statistics of the reply to stderr' --quiet 'Print only errors to stderr' -q 'Print only errors to stderr' --inline 'Chat line by line, in the terminal'"'"'s own scrollback' --continue 'Continue the last session' -c 'Continue the last session' --session 'Continue a session, named by its title or the start of its id' --no-store 'Do not save this question; a continued session is still read' --version 'Print the version and exit' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    ask)
        subcommands=()
        default=''
        options=(--file 'A text file to ask about; - reads stdin' -f 'A text file to ask about; - reads stdin' --image 'An image to ask about; - reads stdin' --template 'Put the question into a template (`none` disables)' -t 'Put the question into a template (`none` disables)' --field 'A value for a field of the template' --system 'A system prompt, added to the model'"'"'s own; - reads stdin' -s 'A system prompt, added to the model'"'"'s own; - reads stdin' --schema 'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin' --edit 'Write the question in your editor, from the words given' -e 'Write the question in your editor, from the words given' --no-stdin 'Do not read stdin' --model 'The model to ask' -m 'The model to ask' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --option 'A model option, such as num_ctx, temperature or seed' -o 'A model option, such as num_ctx, temperature or seed' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --deadline 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' --mode 'How the model reflects: natively or with its own tags, by a prompt, or not at all' --effort 'How much the model thinks' --budget 'End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off' --loops 'What to do with a thinking that repeats itself' --until-settled 'End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`' --samples 'Ask so many times and show the answer that most replies agree on; 1 asks once' --verify 'Take the reply as a draft: the model checks it by questions of its own and answers anew' --family 'How the reply marks its thinking, such as reflection, think, harmony, any or none' --keep-thinking 'Send the thinking of earlier turns back to the model; auto: if its family was trained with it' --final 'Print the final answer and nothing else' --code 'Print only the last block of code of the answer, as --final does' -x 'Print only the last block of code of the answer, as --final does' --show 'What to show: thinking,reflection,answer' --no-thinking 'Hide the thinking; --mode direct turns it off' --json 'Print the whole reply as one JSON object' --jsonl 'Print each piece as JSON as it arrives, then the object' --raw 'Print the reply as the model wrote it, with its tags; not to a terminal' --stats 'Print statistics of the reply to stderr' --quiet 'Print only errors to stderr' -q 'Print only errors to stderr' --inline 'Chat line by line, in the terminal'"'"'s own scrollback' --continue 'Continue the last session' -c 'Continue the last session' --session 'Continue a session, named by its title or the start of its id' --no-store 'Do not save this question; a continued session is still read' --version 'Print the version and exit' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    batch)
        subcommands=()
        default=''
        options=(--output 'Write to a file: each line as soon as it finishes; the file is sorted at the end' --resume 'Continue the output file: ask only the lines that are missing or failed' --force 'Overwrite the output file if it exists' --unordered 'Write each line as it finishes, not in the order of the questions' --fields 'Fields of --json to write besides line, id and error, such as answer,usage,thinking,prompt,host' --full 'Write every field of --json and the question' --format 'Lines of questions or of JSON objects, one JSON array, or CSV; objects have a prompt or messages, and may have id, model, system, fields of the template and members to pass through' --jobs 'How many lines to send to each server at once' -j 'How many lines to send to each server at once' --retry 'How many times to retry if a server is busy or a reply is cut off' --patience 'How long to wait while no server is reachable' --limit 'Ask only the first N lines' --sample 'Ask N lines drawn at random, the same for each --seed' --seed 'The seed of --sample' --model 'The model to ask' -m 'The model to ask' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --template 'Put the question into a template (`none` disables)' -t 'Put the question into a template (`none` disables)' --field 'A value for a field of the template' --host 'A server, as in OLLAMA_HOST; repeat it to spread the lines across several servers' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --mode 'How the model reflects: natively or with its own tags, by a prompt, or not at all' --effort 'How much the model thinks' --budget 'End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off' --loops 'What to do with a thinking that repeats itself' --until-settled 'End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`' --samples 'Ask so many times and show the answer that most replies agree on; 1 asks once' --verify 'Take the reply as a draft: the model checks it by questions of its own and answers anew' --family 'How the reply marks its thinking, such as reflection, think, harmony, any or none' --system 'A system prompt, added to the model'"'"'s own; - reads stdin' -s 'A system prompt, added to the model'"'"'s own; - reads stdin' --option 'A model option, such as num_ctx, temperature or seed' -o 'A model option, such as num_ctx, temperature or seed' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --schema 'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --deadline 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' --quiet 'Print only errors to stderr' -q 'Print only errors to stderr' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(files)
        ;;
    compare)
        subcommands=()
        default=''
        options=(--arms 'The ways of asking, with commas: direct, cot (step by step), reflect, revise, think, vote-5; with an effort, a budget or a model: think:low, think:2000, cot@MODEL' --models 'The models, with commas; each is asked in each way' --file 'A text file to ask about; - reads stdin' -f 'A text file to ask about; - reads stdin' --image 'An image to ask about; - reads stdin' --template 'Put the question into a template (`none` disables)' -t 'Put the question into a template (`none` disables)' --field 'A value for a field of the template' --system 'A system prompt, added to the model'"'"'s own; - reads stdin' -s 'A system prompt, added to the model'"'"'s own; - reads stdin' --no-stdin 'Do not read stdin' --model 'The model to ask' -m 'The model to ask' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --option 'A model option, such as num_ctx, temperature or seed' -o 'A model option, such as num_ctx, temperature or seed' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --deadline 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' --json 'Print all replies as one JSON object' --quiet 'Print only errors to stderr' -q 'Print only errors to stderr' --no-store 'Do not save this question; a continued session is still read' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    completions)
        subcommands=(install 'Install the completions where the shell looks for them' show 'Print the completion script of a shell' path 'Print the path of the completion script; the file may not exist')
        default=show
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'completions install')
        subcommands=()
        default=''
        options=(--shell 'The shell' --force 'Overwrite a file that reflect did not write' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'completions show')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=('')
        ;;
    'completions path')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=('')
        ;;
    config)
        subcommands=(show 'Show every setting, its value, and where it comes from' list 'Show every setting, its value, and where it comes from' get 'Print the value in effect of one setting, alone on a line' set 'Set a value; comments, order and the rest of the file stay unchanged' unset 'Remove a value or a whole profile from the file; the rest stays unchanged' edit 'Open the file in your editor, then report invalid settings' path 'Print the path of the config file; it may not exist' schema 'Print the JSON Schema of the config file, for your editor')
        default=show
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config show')
        subcommands=()
        default=''
        options=(--profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config list')
        subcommands=()
        default=''
        options=(--profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config get')
        subcommands=()
        default=''
        options=(--profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(keys)
        ;;
    'config set')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=(keys 'values*')
        ;;
    'config unset')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=(keys)
        ;;
    'config edit')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config path')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config schema')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    doctor)
        subcommands=()
        default=''
        options=(--model 'The model to ask' -m 'The model to ask' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --no-question 'Do not ask the model a question; 0 then means only that no problem prevents an answer' --json 'Print the findings as one JSON object' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    eval)
        subcommands=(run 'Ask questions with known answers in several ways' list 'List the runs, latest first' report 'Show what a run found' regrade 'Grade the answers of a run again, offline' apply 'Ask as a run has shown to be best' fetch 'Download public sets of questions' path 'Print the folder of the runs')
        default=list
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'eval run')
        subcommands=()
        default=''
        options=(--arms 'Ways of asking, the first is the baseline: direct, cot, reflect, revise, think, think:low, think:2000, vote-5, WAY@MODEL' --models 'Ask each of these models in every arm' --questions 'How many: a number, or quick (50), standard (200), solid (500), full' -n 'How many: a number, or quick (50), standard (200), solid (500), full' --seed 'The seed of the questions and of the sampling' --max-tokens 'The most tokens of a reply, thinking included, in every arm' --output 'Write the run to a file of your own' --resume 'Continue a run: its name or file, or last' --from-sessions 'Ask questions of your saved sessions; you say which answers are right' --yes 'With --from-sessions, ask nothing: take the questions that you graded before' -y 'With --from-sessions, ask nothing: take the questions that you graded before' --bare 'Ask each question alone, without our instructions: for models that follow none, and for questions that have their own' --probe 'Then probe K corrections: go on with and without each, to see what it was worth' --plan 'Show what would be asked, and ask nothing' --jobs 'How many questions to ask each server at once' -j 'How many questions to ask each server at once' --retry 'How many times to retry if a server is busy or a reply is cut off' --patience 'How long to wait while no server is reachable' --model 'The model to ask' -m 'The model to ask' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --host 'A server, as in OLLAMA_HOST; repeat it to spread the lines across several servers' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --system 'A system prompt, added to the model'"'"'s own; - reads stdin' -s 'A system prompt, added to the model'"'"'s own; - reads stdin' --option 'A model option, such as num_ctx, temperature or seed' -o 'A model option, such as num_ctx, temperature or seed' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --deadline 'End the run after this time with what has come, and exit with 8: 90, 2m, 1h' --quiet 'Print only errors to stderr' -q 'Print only errors to stderr' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(files)
        ;;
    'eval list')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'eval report')
        subcommands=()
        default=''
        options=(--format 'The form of the report' --output 'Write to a file; - is stdout' -o 'Write to a file; - is stdout' --force 'Overwrite an existing file' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(runs)
        ;;
    'eval regrade')
        subcommands=()
        default=''
        options=(--dry-run 'Show what would change, and write nothing' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(runs)
        ;;
    'eval apply')
        subcommands=()
        default=''
        options=(--arm 'The arm to ask by' --profile 'Write it into a profile' --force 'Write it even if the run has shown no gain, or is unfinished' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(runs)
        ;;
    'eval fetch')
        subcommands=()
        default=''
        options=(--force 'Download again what is there' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    'eval path')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    last)
        subcommands=()
        default=''
        options=(--code 'Print only its last block of code' -x 'Print only its last block of code' --thinking 'Print the thinking instead' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    models)
        subcommands=(list 'List the models: their size, what they can do, where they run' show 'Show the details of a model and how it would be asked' pull 'Download or update a model' create 'Make a reflecting variant of an installed model; `create mini` installs the built-in one' repair 'Restore the tags that a model loses, in a copy of it' copy 'Give a model a second name; uses no extra disk space' remove 'Remove models from the server for good' load 'Load a model and show where it runs' unload 'Unload a model; it stays installed')
        default=list
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'models list')
        subcommands=()
        default=''
        options=(--profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'models show')
        subcommands=()
        default=''
        options=(--template 'Print only the template' --system 'Print only the system prompt' --parameters 'Print only the parameters' --licence 'Print only the license' --license 'Print only the license' --context 'The context length to estimate for' --profile 'Use a profile from the config file (overrides environment variables; `none` disables)' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models pull')
        subcommands=()
        default=''
        options=(--insecure 'Let the server use plain HTTP to reach the registry' --context 'The context length to estimate for' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --jsonl 'Print the server'"'"'s progress as JSON lines, then the object' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models create')
        subcommands=()
        default=''
        options=(--from 'The installed model to start from; mini needs none' --system 'A system prompt, added to the source'"'"'s own; the prompt that teaches the tags is added too' -s 'A system prompt, added to the source'"'"'s own; the prompt that teaches the tags is added too' --template 'Use another template' --parameter 'Override a parameter of the source, such as temperature or num_ctx' -p 'Override a parameter of the source, such as temperature or num_ctx' --no-proof 'Do not test the new model with a question' --force 'Overwrite an existing model' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('')
        ;;
    'models repair')
        subcommands=()
        default=''
        options=(--gguf 'The model'"'"'s GGUF on this machine, if the server is on another' --token 'A token to restore besides the known tags' --name 'The name of the copy' --force 'Overwrite an existing model' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models copy')
        subcommands=()
        default=''
        options=(--force 'Overwrite an existing model' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models '')
        ;;
    'models remove')
        subcommands=()
        default=''
        options=(--yes 'Do not ask for confirmation' -y 'Do not ask for confirmation' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('models*')
        ;;
    'models load')
        subcommands=()
        default=''
        options=(--keep-alive 'How long the model stays loaded: 10m, 0, -1' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models unload')
        subcommands=()
        default=''
        options=(--host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    probe)
        subcommands=()
        default=''
        options=(--turn 'The number of the question' --correction 'The number of the correction' --all 'Probe all corrections, tagged or read in the thinking' --most 'With --all, probe at most N' --samples 'Go on N times with the correction, and N times without' -n 'Go on N times with the correction, and N times without' --method 'Without the correction, let the model go on, or put a sentence that says nothing in its place' --answer 'The right answer' --seed 'The seed of the first continuations' --jobs 'How many at once' -j 'How many at once' --model 'The model to ask' -m 'The model to ask' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'The engine: a server with the Ollama or the OpenAI API, or the built-in model' --timeout 'How long to wait for output, or connect=5,first=300,idle=120' --yes 'Do not ask for confirmation' -y 'Do not ask for confirmation' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    sessions)
        subcommands=(list 'List the sessions, latest first' show 'Show a session: questions, thinking with its corrections, answers' search 'Search titles, questions, thinking, corrections and answers' stats 'Count how models thought in the stored replies, and what --until-settled would do' export 'Export a session as Markdown, HTML or JSON' import 'Import sessions that were exported as JSON, with all their branches; prints the new ids' rename 'Rename a session' remove 'Remove sessions for good' fork 'Start a new session from a copy of this one; prints its id' prune 'Remove old sessions for good' path 'Print the path of the file with the sessions; it may not exist')
        default=list
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'sessions list')
        subcommands=()
        default=''
        options=(--limit 'Show at most N' -n 'Show at most N' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'sessions show')
        subcommands=()
        default=''
        options=(--no-thinking 'Show only the summary of the thinking' --all 'Show every branch, not only the last viewed one' -a 'Show every branch, not only the last viewed one' --tree 'Show all branches as a tree, a line a turn' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    'sessions search')
        subcommands=()
        default=''
        options=(--kind 'Find second thoughts of this kind in the thinking; words are optional' --limit 'Show at most N' -n 'Show at most N' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    'sessions stats')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'sessions export')
        subcommands=()
        default=''
        options=(--format 'The format of the document' --output 'Write to a file; - writes to stdout' --force 'Overwrite an existing file' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    'sessions import')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('files*')
        ;;
    'sessions rename')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions '*')
        ;;
    'sessions remove')
        subcommands=()
        default=''
        options=(--yes 'Do not ask for confirmation' -y 'Do not ask for confirmation' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('sessions*')
        ;;
    'sessions fork')
        subcommands=()
        default=''
        options=(--at 'The number of the last question to copy' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    'sessions prune')
        subcommands=()
        default=''
        options=(--older-than 'Sessions without a turn for this long: 90d, 12h' --yes 'Do not ask for confirmation' -y 'Do not ask for confirmation' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'sessions path')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    templates)
        subcommands=(list 'List the templates with their fields and the start of their text' show 'Print a template: its settings, if it has any, and its text' edit 'Edit a template in your editor; creates it if it does not exist' remove 'Remove templates for good' path 'Print the path of a template or of the templates folder; it may not exist')
        default=list
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'templates list')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'templates show')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(templates)
        ;;
    'templates edit')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=(templates)
        ;;
    'templates remove')
        subcommands=()
        default=''
        options=(--yes 'Do not ask for confirmation' -y 'Do not ask for confirmation' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('templates*')
        ;;
    'templates path')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(templates)
        ;;
    help)
        subcommands=(ask 'Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout' batch 'Ask every line of a file and write one line of JSON for each, in the same order' compare 'Ask one question in several ways, side by side, and tell whether the answers agree' completions 'Install or print completions for bash, zsh and fish (default: show, on a terminal how to install them)' config 'Show and change the settings (default: show)' doctor 'Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes' eval 'Measure whether reflection helps, on your model and your questions (default: list)' last 'Print the last answer again: of this terminal'"'"'s last session, or of another one' models 'Manage the models on a server (default: list)' probe 'Tell what a correction of a reply is worth: goes on with it and without it, and compares the final answers' sessions 'Read, search, export and manage saved sessions (default: list)' templates 'Manage prompt templates, used with -t (default: list)')
        default=''
        options=()
        places=()
        ;;
    'help completions')
        subcommands=(install 'Install the completions where the shell looks for them' show 'Print the completion script of a shell' path 'Print the path of the completion script; the file may not exist')
        default=''
        options=()
        places=()
        ;;
    'help config')
        subcommands=(show 'Show every setting, its value, and where it comes from' list 'Show every setting, its value, and where it comes from' get 'Print the value in effect of one setting, alone on a line' set 'Set a value; comments, order and the rest of the file stay unchanged' unset 'Remove a value or a whole profile from the file; the rest stays unchanged' edit 'Open the file in your editor, then report invalid settings' path 'Print the path of the config file; it may not exist' schema 'Print the JSON Schema of the config file, for your editor')
        default=''
        options=()
        places=()
        ;;
    'help eval')
        subcommands=(run 'Ask questions with known answers in several ways' list 'List the runs, latest first' report 'Show what a run found' regrade 'Grade the answers of a run again, offline' apply 'Ask as a run has shown to be best' fetch 'Download public sets of questions' path 'Print the folder of the runs')
        default=''
        options=()
        places=()
        ;;
    'help models')
        subcommands=(list 'List the models: their size, what they can do, where they run' show 'Show the details of a model and how it would be asked' pull 'Download or update a model' create 'Make a reflecting variant of an installed model; `create mini` installs the built-in one' repair 'Restore the tags that a model loses, in a copy of it' copy 'Give a model a second name; uses no extra disk space' remove 'Remove models from the server for good' load 'Load a model and show where it runs' unload 'Unload a model; it stays installed')
        default=''
        options=()
        places=()
        ;;
    'help sessions')
        subcommands=(list 'List the sessions, latest first' show 'Show a session: questions, thinking with its corrections, answers' search 'Search titles, questions, thinking, corrections and answers' stats 'Count how models thought in the stored replies, and what --until-settled would do' export 'Export a session as Markdown, HTML or JSON' import 'Import sessions that were exported as JSON, with all their branches; prints the new ids' rename 'Rename a session' remove 'Remove sessions for good' fork 'Start a new session from a copy of this one; prints its id' prune 'Remove old sessions for good' path 'Print the path of the file with the sessions; it may not exist')
        default=''
        options=()
        places=()
        ;;
    'help templates')
        subcommands=(list 'List the templates with their fields and the start of their text' show 'Print a template: its settings, if it has any, and its text' edit 'Edit a template in your editor; creates it if it does not exist' remove 'Remove templates for good' path 'Print the path of a template or of the templates folder; it may not exist')
        default=''
        options=()
        places=()
        ;;
    esac
}

_reflect_value() {
    kind='' choices=()
    case $1 in
    ' --file'|' -f') kind=files choices=() ;;
    ' --image') kind=files choices=() ;;
    ' --template'|' -t') kind=templates choices=() ;;
    ' --field') kind='' choices=() ;;
    ' --system'|' -s') kind=texts choices=() ;;
    ' --schema') kind=files choices=() ;;
    ' --model'|' -m') kind=models choices=() ;;
    ' --host') kind=hosts choices=() ;;
    ' --engine') kind='' choices=(ollama openai embedded) ;;
    ' --profile') kind=profiles choices=() ;;
    ' --option'|' -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    ' --keep-alive') kind='' choices=() ;;
    ' --timeout') kind='' choices=() ;;
    ' --deadline') kind='' choices=() ;;
    ' --mode') kind='' choices=(auto native reflect direct) ;;
    ' --effort') kind='' choices=(low medium high max) ;;
    ' --budget') kind='' choices=() ;;
    ' --loops') kind='' choices=(end note off) ;;
    ' --samples') kind='' choices=() ;;
    ' --family') kind='' choices=(reflection think native think_answer reasoning_answer exaone_deep marco seed_oss magistral openthinker kimi_vl kimi_k3 minimax_m3 apertus gemma4 cohere granite32 granite33 ernie45 solar_open solar_open2 harmony glimmer inkling k2_horizon hy plamo3 apriel longcat budget any none) ;;
    ' --keep-thinking') kind='' choices=(auto on off) ;;
    ' --show') kind='' choices=(thinking reflection answer) ;;
    ' --session') kind=sessions choices=() ;;
    'ask --file'|'ask -f') kind=files choices=() ;;
    'ask --image') kind=files choices=() ;;
    'ask --template'|'ask -t') kind=templates choices=() ;;
    'ask --field') kind='' choices=() ;;
    'ask --system'|'ask -s') kind=texts choices=() ;;
    'ask --schema') kind=files choices=() ;;
    'ask --model'|'ask -m') kind=models choices=() ;;
    'ask --host') kind=hosts choices=() ;;
    'ask --engine') kind='' choices=(ollama openai embedded) ;;
    'ask --profile') kind=profiles choices=() ;;
    'ask --option'|'ask -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'ask --keep-alive') kind='' choices=() ;;
    'ask --timeout') kind='' choices=() ;;
    'ask --deadline') kind='' choices=() ;;
    'ask --mode') kind='' choices=(auto native reflect direct) ;;
    'ask --effort') kind='' choices=(low medium high max) ;;
    'ask --budget') kind='' choices=() ;;
    'ask --loops') kind='' choices=(end note off) ;;
    'ask --samples') kind='' choices=() ;;
    'ask --family') kind='' choices=(reflection think native think_answer reasoning_answer exaone_deep marco seed_oss magistral openthinker kimi_vl kimi_k3 minimax_m3 apertus gemma4 cohere granite32 granite33 ernie45 solar_open solar_open2 harmony glimmer inkling k2_horizon hy plamo3 apriel longcat budget any none) ;;
    'ask --keep-thinking') kind='' choices=(auto on off) ;;
    'ask --show') kind='' choices=(thinking reflection answer) ;;
    'ask --session') kind=sessions choices=() ;;
    'batch --output') kind=files choices=() ;;
    'batch --fields') kind='' choices=() ;;
    'batch --format') kind='' choices=(lines jsonl json csv) ;;
    'batch --jobs'|'batch -j') kind='' choices=() ;;
    'batch --retry') kind='' choices=() ;;
    'batch --patience') kind='' choices=() ;;
    'batch --limit') kind='' choices=() ;;
    'batch --sample') kind='' choices=() ;;
    'batch --seed') kind='' choices=() ;;
    'batch --model'|'batch -m') kind=models choices=() ;;
    'batch --profile') kind=profiles choices=() ;;
    'batch --template'|'batch -t') kind=templates choices=() ;;
    'batch --field') kind='' choices=() ;;
    'batch --host') kind=hosts choices=() ;;
    'batch --engine') kind='' choices=(ollama openai embedded) ;;
    'batch --mode') kind='' choices=(auto native reflect direct) ;;
    'batch --effort') kind='' choices=(low medium high max) ;;
    'batch --budget') kind='' choices=() ;;
    'batch --loops') kind='' choices=(end note off) ;;
    'batch --samples') kind='' choices=() ;;
    'batch --family') kind='' choices=(reflection think native think_answer reasoning_answer exaone_deep marco seed_oss magistral openthinker kimi_vl kimi_k3 minimax_m3 apertus gemma4 cohere granite32 granite33 ernie45 solar_open solar_open2 harmony glimmer inkling k2_horizon hy plamo3 apriel longcat budget any none) ;;
    'batch --system'|'batch -s') kind=texts choices=() ;;
    'batch --option'|'batch -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'batch --keep-alive') kind='' choices=() ;;
    'batch --schema') kind=files choices=() ;;
    'batch --timeout') kind='' choices=() ;;
    'batch --deadline') kind='' choices=() ;;
    'compare --arms') kind='' choices=() ;;
    'compare --models') kind='' choices=() ;;
    'compare --file'|'compare -f') kind=files choices=() ;;
    'compare --image') kind=files choices=() ;;
    'compare --template'|'compare -t') kind=templates choices=() ;;
    'compare --field') kind='' choices=() ;;
    'compare --system'|'compare -s') kind=texts choices=() ;;
    'compare --model'|'compare -m') kind=models choices=() ;;
    'compare --host') kind=hosts choices=() ;;
    'compare --engine') kind='' choices=(ollama openai embedded) ;;
    'compare --profile') kind=profiles choices=() ;;
    'compare --option'|'compare -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'compare --keep-alive') kind='' choices=() ;;
    'compare --timeout') kind='' choices=() ;;
    'compare --deadline') kind='' choices=() ;;
    'completions install --shell') kind='' choices=(bash zsh fish) ;;
    'completions show 0') kind='' choices=(bash zsh fish) ;;
    'completions path 0') kind='' choices=(bash zsh fish) ;;
    'config show --profile') kind=profiles choices=() ;;
    'config list --profile') kind=profiles choices=() ;;
    'config get --profile') kind=profiles choices=() ;;
    'doctor --model'|'doctor -m') kind=models choices=() ;;
    'doctor --profile') kind=profiles choices=() ;;
    'doctor --host') kind=hosts choices=() ;;
    'doctor --engine') kind='' choices=(ollama openai embedded) ;;
    'doctor --timeout') kind='' choices=() ;;
    'eval run --arms') kind='' choices=() ;;
    'eval run --models') kind='' choices=() ;;
    'eval run --questions'|'eval run -n') kind='' choices=() ;;
    'eval run --seed') kind='' choices=() ;;
    'eval run --max-tokens') kind='' choices=() ;;
    'eval run --output') kind=files choices=() ;;
    'eval run --resume') kind=runs choices=() ;;
    'eval run --probe') kind='' choices=() ;;
    'eval run --jobs'|'eval run -j') kind='' choices=() ;;
    'eval run --retry') kind='' choices=() ;;
    'eval run --patience') kind='' choices=() ;;
    'eval run --model'|'eval run -m') kind=models choices=() ;;
    'eval run --profile') kind=profiles choices=() ;;
    'eval run --host') kind=hosts choices=() ;;
    'eval run --engine') kind='' choices=(ollama openai embedded) ;;
    'eval run --system'|'eval run -s') kind=texts choices=() ;;
    'eval run --option'|'eval run -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'eval run --keep-alive') kind='' choices=() ;;
    'eval run --timeout') kind='' choices=() ;;
    'eval run --deadline') kind='' choices=() ;;
    'eval run 0') kind=files choices=(builtin gsm8k mmlu mmlu-redux math500) ;;
    'eval report --format') kind='' choices=(table markdown html json csv errorbars) ;;
    'eval report --output'|'eval report -o') kind=files choices=() ;;
    'eval apply --arm') kind='' choices=() ;;
    'eval apply --profile') kind=profiles choices=() ;;
    'eval fetch 0') kind='' choices=(gsm8k mmlu mmlu-redux math500) ;;
    'models list --profile') kind=profiles choices=() ;;
    'models list --host') kind=hosts choices=() ;;
    'models list --engine') kind='' choices=(ollama openai embedded) ;;
    'models show --context') kind='' choices=() ;;
    'models show --profile') kind=profiles choices=() ;;
    'models show --host') kind=hosts choices=() ;;
    'models show --engine') kind='' choices=(ollama openai embedded) ;;
    'models pull --context') kind='' choices=() ;;
    'models pull --host') kind=hosts choices=() ;;
    'models pull 0') kind=models choices=(reflection:70b qwen3:32b gpt-oss:20b qwen3:14b qwen3:8b qwen3:4b qwen3:1.7b qwen3:0.6b) ;;
    'models create --from') kind=models choices=() ;;
    'models create --system'|'models create -s') kind=texts choices=() ;;
    'models create --template') kind=texts choices=() ;;
    'models create --parameter'|'models create -p') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'models create --host') kind=hosts choices=() ;;
    'models repair --gguf') kind=files choices=() ;;
    'models repair --token') kind='' choices=() ;;
    'models repair --name') kind='' choices=() ;;
    'models repair --host') kind=hosts choices=() ;;
    'models copy --host') kind=hosts choices=() ;;
    'models remove --host') kind=hosts choices=() ;;
    'models load --keep-alive') kind='' choices=() ;;
    'models load --host') kind=hosts choices=() ;;
    'models unload --host') kind=hosts choices=() ;;
    'probe --turn') kind='' choices=() ;;
    'probe --correction') kind='' choices=() ;;
    'probe --most') kind='' choices=() ;;
    'probe --samples'|'probe -n') kind='' choices=() ;;
    'probe --method') kind='' choices=(resample neutral) ;;
    'probe --answer') kind='' choices=() ;;
    'probe --seed') kind='' choices=() ;;
    'probe --jobs'|'probe -j') kind='' choices=() ;;
    'probe --model'|'probe -m') kind=models choices=() ;;
    'probe --host') kind=hosts choices=() ;;
    'probe --engine') kind='' choices=(ollama openai embedded) ;;
    'probe --timeout') kind='' choices=() ;;
    'sessions list --limit'|'sessions list -n') kind='' choices=() ;;
    'sessions search --kind') kind='' choices=(correction check alternative) ;;
    'sessions search --limit'|'sessions search -n') kind='' choices=() ;;
    'sessions export --format') kind='' choices=(markdown json html) ;;
    'sessions export --output') kind=files choices=() ;;
    'sessions fork --at') kind='' choices=() ;;
    'sessions prune --older-than') kind='' choices=() ;;
    *) return 1 ;;
    esac
}

# Takes one word of the line into account: path, place and flag say where the next one stands.
_reflect_read() {
    if [[ $flag ]]; then flag=; return; fi
    if [[ $1 == -* && $1 != - && ! $ended ]]; then
        [[ $1 == -- ]] && ended=1 && return
        _reflect_about "$path"
        [[ $default ]] && path="$path $default"
        _reflect_value "$path $1" && flag=$1
    else
        _reflect_about "$path"
        local i
        if ((place == 0)) && ! [[ $ended ]]; then
            for ((i = 0; i < ${#subcommands[@]}; i += 2)); do
                if [[ ${subcommands[i]} == "$1" ]]; then path="${path:+$path }$1"; return; fi
            done
        fi
        ((place += 1))
    fi
}

# The words of the line as a person sees them: bash cuts them at colons and equals signs too.
_reflect_split() {
    local rest=${COMP_LINE:0:COMP_POINT} word
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if ((at < 0)) || [[ $rest == [[:space:]]* ]]; then
            rest=${rest#"${rest%%[![:space:]]*}"}
            words[at += 1]=
        fi
        word=${word:0:${#rest}}
        words[at]+=$word
        rest=${rest#"$word"}
    done
}

# What a word says without its quotes, and the quote that is still open; nothing in it is carried out.
_reflect_plain() {
    local raw=$1 char i
    plain= quote=
    for ((i = 0; i < ${#raw}; i++)); do
        char=${raw:i:1}
        case $quote$char in
        \'\' | \"\") quote= ;;
        \' | \") quote=$char ;;
        \\ | \"\\) i=$((i + 1)); plain+=${raw:i:1} ;;
        *) plain+=$char ;;
        esac
    done
}

# A value as it may stand on the line, so that bash reads it as that value and nothing else.
_reflect_quoted() {
    local tick="'\\''"
    case $quote in
    \') text=${1//\'/$tick} ;;
    \")
        [[ $1 == *'!'* ]] && return 1
        text=${1//\\/\\\\} text=${text//\"/\\\"} text=${text//\$/\\\$} text=${text//\`/\\\`}
        ;;
    *) printf -v text %q "$1" ;;
    esac
    # Bash takes a quote at the end for the one that closes the word.
    [[ $quote && $text == *"$quote" ]] && text+=$quote
    return 0
}

# What of the word bash leaves as it is, and so must not be offered again: all up to the last break in it.
_reflect_head() {
    local char rest
    head=
    [[ $quote ]] && return
    for char in : = @; do
        [[ $COMP_WORDBREAKS == *"$char"* && $plain == *"$char"* ]] || continue
        rest=${plain%"${plain##*"$char"}"}
        # An @ belongs to the word that it begins, also where it breaks the one before.
        [[ $char == @ ]] && rest=${rest%@}
        ((${#rest} > ${#head})) && head=$rest
    done
}

# Offers pairs of values and a few words on each; the words are only shown where nothing of them can be inserted.
_reflect_offer() {
    local char rest text i found=() abouts=()
    [[ ! $quote || $raw == "$quote"* ]] || return
    for ((i = 1; i < $#; i += 2)); do
        char=$((i + 1))
        [[ ${!i} == "$plain"* ]] || continue
        rest=${!i} rest=${rest#"$head"}
        # Nothing is left to insert; bash would write it as two quotes.
        [[ $rest ]] || continue
        _reflect_quoted "$rest" || continue
        found+=("$text") abouts+=("${!char}")
    done
    if ((${#found[@]} > 1)) && [[ $COMP_TYPE == 9 || $COMP_TYPE == 63 || $COMP_TYPE == 33 || $COMP_TYPE == 64 ]]; then
        for ((i = 0; i < ${#found[@]}; i++)); do
            [[ ${abouts[i]} ]] && found[i]+="  (${abouts[i]})"
        done
    fi
    COMPREPLY+=("${found[@]}")
    compopt -o nosort 2>/dev/null
    [[ ${#found[@]} == 1 && ${found[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}

# Offers files, each after what stands before it in the word.
_reflect_files() {
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do file=$2$file; COMPREPLY+=("${file#"$head"}"); done < <(compgen -f -- "$1")
}

# Offers what may stand in one place.
_reflect_fill() {
    local one line pairs=()
    for one in "${choices[@]}"; do pairs+=("$one" ""); done
    case $kind in
    files) _reflect_files "$plain" ;;
    texts) [[ $plain == @* ]] && _reflect_files "${plain#@}" @ ;;
    ?*)
        while IFS= read -r line; do
            pairs+=("${line%%$'\t'*}" "${line#*$'\t'}")
        done < <(command reflect __complete "$kind" "$plain" "${words[@]:1:at-1}" 2>/dev/null </dev/null)
        ;;
    esac
    ((${#pairs[@]})) && _reflect_offer "${pairs[@]}"
}

_reflect() {
    local words=() at=-1 path= place=0 flag= ended= plain= quote= raw= head= kind= i pairs=()
    local subcommands=() default= options=() places=() choices=()
    COMPREPLY=()
    _reflect_split
    for ((i = 1; i < at; i++)); do
        _reflect_plain "${words[i]}"
        _reflect_read "$plain"
    done
    raw=${words[at]}
    if [[ ! $flag && ! $ended && $raw == --*=* ]]; then
        _reflect_about "$path"
        flag=${raw%%=*} raw=${raw#*=}
        [[ $default ]] && path="$path $default"
    fi
    _reflect_plain "$raw"
    _reflect_head
    if [[ $flag ]]; then
        _reflect_value "$path $flag" && _reflect_fill
        return
    fi
    _reflect_about "$path"
    if [[ $plain == -* && ! $ended ]]; then
        [[ $default ]] && { pairs=("${options[@]}"); _reflect_about "$path $default"; }
        for ((i = 0; i < ${#options[@]}; i += 2)); do pairs+=("${options[i]}" ""); done
        [[ ${pairs[1]} ]] && for ((i = 1; i < ${#pairs[@]}; i += 2)); do pairs[i]=; done
        _reflect_offer "${pairs[@]}"
        return
    fi
    if ((place == 0)) && [[ ! $ended ]]; then
        for ((i = 0; i < ${#subcommands[@]}; i += 2)); do pairs+=("${subcommands[i]}" ""); done
        ((${#pairs[@]})) && _reflect_offer "${pairs[@]}"
    fi
    ((${#places[@]})) || return
    if ((place >= ${#places[@]})); then
        [[ ${places[${#places[@]} - 1]} == *\* ]] || return
        place=$((${#places[@]} - 1))
    fi
    _reflect_value "$path $place" || kind=${places[place]%\*}
    _reflect_fill
}

complete -F _reflect reflect
