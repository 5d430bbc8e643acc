# Completions of reflect for bash, generated from the command itself: reflect completions install puts them in place.

_reflect_about() {
    subcommands=() default='' options=() places=()
    case $1 in
    '')
        subcommands=(ask 'Ask a question: the thinking is shown live, each correction marked; the answer alone goes to stdout' batch 'Ask every line of a file, and write a line of JSON for each, in the same order' completions 'The completions of bash, zsh, fish and PowerShell: install puts them where the shell looks' config 'See and change the settings; shows them where nothing else is said' doctor 'Check the terminal, settings, sessions, server and models, ask one question, and say what to do' models 'See, fetch, make and put in order the models on a server; lists them where nothing else is said' sessions 'Read, search, export and put in order what was asked before; lists it where nothing else is said' templates 'See and write the templates that questions are put into with -t; lists them where nothing else is said')
        default=''
        options=(--model 'The model to ask' -m 'The model to ask' --profile 'A profile of the settings; goes before the environment. none: no profile' --template 'A template to put the question into. none: no template' -t 'A template to put the question into. none: no template' --field 'A value for a field of the template' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'Who answers: a server that speaks Ollama'"'"'s own API or OpenAI'"'"'s, or the built-in model' --mode 'How the model reflects: natively or in its own tags, asked to by a prompt, or not at all' --effort 'How much it thinks' --family 'How the reply marks its thinking: reflection, think, harmony, any, none, …' --system 'A system prompt beside the model'"'"'s own' -s 'A system prompt beside the model'"'"'s own' --option 'A model option: num_ctx, temperature, seed, …' -o 'A model option: num_ctx, temperature, seed, …' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --keep-thinking 'Hand the thinking of earlier turns back to the model; auto: where its family was trained so' --file 'A text file to ask about; - is stdin' -f 'A text file to ask about; - is stdin' --image 'A picture to ask about' --schema 'A JSON Schema that the answer must fit' --final 'Print the final answer and nothing else' --show 'What to show: thinking,reflection,answer' --no-thinking 'Do not show the thinking; --mode direct makes it not think' --json 'Print the whole reply as one JSON object' --jsonl 'Print each piece as JSON as it arrives, then the object' --raw 'Print the reply as the model wrote it, tags and all; not to a terminal' --timeout 'How long to wait; or connect=5,first=300,idle=120' --no-stdin 'Do not read stdin' --continue 'Go on with the last session' -c 'Go on with the last session' --session 'Go on with a session, by the beginning of its id or its title' --no-store 'Do not keep this question; a session to go on with is still read' --stats 'Print the figures of the reply on stderr' --quiet 'Nothing but errors on stderr' -q 'Nothing but errors on stderr' --version 'Print the version and exit' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    ask)
        subcommands=()
        default=''
        options=(--model 'The model to ask' -m 'The model to ask' --profile 'A profile of the settings; goes before the environment. none: no profile' --template 'A template to put the question into. none: no template' -t 'A template to put the question into. none: no template' --field 'A value for a field of the template' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'Who answers: a server that speaks Ollama'"'"'s own API or OpenAI'"'"'s, or the built-in model' --mode 'How the model reflects: natively or in its own tags, asked to by a prompt, or not at all' --effort 'How much it thinks' --family 'How the reply marks its thinking: reflection, think, harmony, any, none, …' --system 'A system prompt beside the model'"'"'s own' -s 'A system prompt beside the model'"'"'s own' --option 'A model option: num_ctx, temperature, seed, …' -o 'A model option: num_ctx, temperature, seed, …' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --keep-thinking 'Hand the thinking of earlier turns back to the model; auto: where its family was trained so' --file 'A text file to ask about; - is stdin' -f 'A text file to ask about; - is stdin' --image 'A picture to ask about' --schema 'A JSON Schema that the answer must fit' --final 'Print the final answer and nothing else' --show 'What to show: thinking,reflection,answer' --no-thinking 'Do not show the thinking; --mode direct makes it not think' --json 'Print the whole reply as one JSON object' --jsonl 'Print each piece as JSON as it arrives, then the object' --raw 'Print the reply as the model wrote it, tags and all; not to a terminal' --timeout 'How long to wait; or connect=5,first=300,idle=120' --no-stdin 'Do not read stdin' --continue 'Go on with the last session' -c 'Go on with the last session' --session 'Go on with a session, by the beginning of its id or its title' --no-store 'Do not keep this question; a session to go on with is still read' --stats 'Print the figures of the reply on stderr' --quiet 'Nothing but errors on stderr' -q 'Nothing but errors on stderr' --version 'Print the version and exit' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    batch)
        subcommands=()
        default=''
        options=(--output 'Write to a file: a line that is finished is in it at once; it is put in order at the end' -o 'Write to a file: a line that is finished is in it at once; it is put in order at the end' --resume 'Go on with the output file: ask what is not answered there, or failed' --force 'Begin anew where the output file is there already' --unordered 'Write the lines as they are finished, not in the order of the questions' --fields 'What to write beside line, id and error: answer,usage,thinking,prompt,host, …, as --json has them' --full 'Write all that --json of a question has, the question included' --format 'What the lines are: plain questions, or objects: {"prompt": …, "id", "system", "model", fields of the template}' --jobs 'How many to ask at the same time of each server' -j 'How many to ask at the same time of each server' --retry 'How often to ask again where a server was busy or a reply cut' --patience 'How long to wait for servers that have gone away, all of them' --model 'The model to ask' -m 'The model to ask' --profile 'A profile of the settings; goes before the environment. none: no profile' --template 'A template to put the question into. none: no template' -t 'A template to put the question into. none: no template' --field 'A value for a field of the template' --host 'A server, as in OLLAMA_HOST; given several times, the lines are spread over all of them' --engine 'Who answers: a server that speaks Ollama'"'"'s own API or OpenAI'"'"'s, or the built-in model' --mode 'How the model reflects: natively or in its own tags, asked to by a prompt, or not at all' --effort 'How much it thinks' --family 'How the reply marks its thinking: reflection, think, harmony, any, none, …' --system 'A system prompt beside the model'"'"'s own' -s 'A system prompt beside the model'"'"'s own' --option 'A model option: num_ctx, temperature, seed, …' --keep-alive 'How long the model stays loaded: 10m, 0, -1' --schema 'A JSON Schema that the answer must fit' --timeout 'How long to wait; or connect=5,first=300,idle=120' --quiet 'Nothing but errors on stderr' -q 'Nothing but errors on stderr' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(files)
        ;;
    completions)
        subcommands=(install 'Put the completions where the shell looks for them' show 'Print the completions of a shell' path 'Print where the completions go; the file may not exist')
        default=show
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'completions install')
        subcommands=()
        default=''
        options=(--shell 'The shell' --force 'Replace a file that is not of reflect' --help 'Show this message and exit' -h 'Show this message and exit')
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
        subcommands=(show 'Show every setting, its value, and where it comes from' path 'Print where the file of the settings is; it may not exist' edit 'Open the file in your editor, and say afterwards what in it cannot be used' set 'Set one value; comments, order and the rest of the file stay as they are' unset 'Take one value out of the file, or a whole profile; the rest stays as it is')
        default=show
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config show')
        subcommands=()
        default=''
        options=(--profile 'A profile of the settings; goes before the environment. none: no profile' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config path')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'config edit')
        subcommands=()
        default=''
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
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
    doctor)
        subcommands=()
        default=''
        options=(--model 'The model to ask' -m 'The model to ask' --profile 'A profile of the settings; goes before the environment. none: no profile' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'Who answers: a server that speaks Ollama'"'"'s own API or OpenAI'"'"'s, or the built-in model' --timeout 'How long to wait; or connect=5,first=300,idle=120' --no-question 'Ask the model nothing; then 0 says only that nothing found is in the way of an answer' --json 'Print what was found as one JSON object' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    models)
        subcommands=(list 'List the models: their size, what they can do, where they run' show 'Show all that is known of a model, and how it would be asked' pull 'Fetch a model, or what is new of it' create 'Make a model that reflects of one that is installed; `create mini` gives the server the built-in one' repair 'Bring back the tags that a model loses, in a copy of it' copy 'Give a model a second name; it takes no room' remove 'Remove models from the server for good' load 'Load a model, and say where it runs' unload 'Unload a model; it stays installed')
        default=list
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'models list')
        subcommands=()
        default=''
        options=(--profile 'A profile of the settings; goes before the environment. none: no profile' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'Who answers: a server that speaks Ollama'"'"'s own API or OpenAI'"'"'s, or the built-in model' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'models show')
        subcommands=()
        default=''
        options=(--template 'Print the template alone' --system 'Print the system prompt alone' --parameters 'Print the parameters alone' --licence 'Print the licence alone' --license 'Print the licence alone' --context 'The context to estimate for' --profile 'A profile of the settings; goes before the environment. none: no profile' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --engine 'Who answers: a server that speaks Ollama'"'"'s own API or OpenAI'"'"'s, or the built-in model' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models pull')
        subcommands=()
        default=''
        options=(--insecure 'Let the server speak plain http to the registry' --context 'The context to estimate for' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --jsonl 'Print what the server says as JSON, then the object' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models create')
        subcommands=()
        default=''
        options=(--from 'The installed model it is made of; mini needs none' --system 'A system prompt beside the source'"'"'s own; what teaches the tags is added' -s 'A system prompt beside the source'"'"'s own; what teaches the tags is added' --template 'Another template' --parameter 'A parameter in place of the source'"'"'s: temperature, num_ctx, …' -p 'A parameter in place of the source'"'"'s: temperature, num_ctx, …' --no-proof 'Do not ask the new model a question' --force 'Replace a model of that name' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('')
        ;;
    'models repair')
        subcommands=()
        default=''
        options=(--gguf 'The model'"'"'s GGUF on this machine, where the server is on another' --token 'A token to bring back besides the tags that are known' --name 'What the copy is called' --force 'Replace a model of that name' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models)
        ;;
    'models copy')
        subcommands=()
        default=''
        options=(--force 'Replace a model of that name' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(models '')
        ;;
    'models remove')
        subcommands=()
        default=''
        options=(--yes 'Do not ask' -y 'Do not ask' --host 'The server, as in OLLAMA_HOST or REFLECTTY_HOST' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
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
    sessions)
        subcommands=(list 'List the sessions, the latest first' show 'Show a session: questions, thinking with its corrections, answers' search 'Search titles, questions, thinking, corrections and answers' export 'Export a session as Markdown, HTML or JSON' rename 'Give a session another title' remove 'Remove sessions for good' fork 'Begin a new session with what was said so far; prints its id')
        default=list
        options=(--help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'sessions list')
        subcommands=()
        default=''
        options=(--limit 'At most so many' -n 'At most so many' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=()
        ;;
    'sessions show')
        subcommands=()
        default=''
        options=(--no-thinking 'Only the summary of the thinking' --all 'Every branch, not only the one looked at last' -a 'Every branch, not only the one looked at last' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    'sessions search')
        subcommands=()
        default=''
        options=(--limit 'At most so many' -n 'At most so many' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('*')
        ;;
    'sessions export')
        subcommands=()
        default=''
        options=(--format 'The form of the document' -f 'The form of the document' --output 'Write to a file; - is stdout' -o 'Write to a file; - is stdout' --force 'Replace a file that is there already' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
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
        options=(--yes 'Do not ask' -y 'Do not ask' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=('sessions*')
        ;;
    'sessions fork')
        subcommands=()
        default=''
        options=(--at 'The last question to take along' --json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(sessions)
        ;;
    templates)
        subcommands=(list 'List the templates, with their fields and the beginning of their text' show 'Print a template as it is written' edit 'Write a template in your editor; one that is not there is made' path 'Print where a template is, or the folder of all; it may not exist')
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
    'templates path')
        subcommands=()
        default=''
        options=(--json 'Print JSON' --help 'Show this message and exit' -h 'Show this message and exit')
        places=(templates)
        ;;
    esac
}

_reflect_value() {
    kind='' choices=()
    case $1 in
    ' --model'|' -m') kind=models choices=() ;;
    ' --profile') kind=profiles choices=() ;;
    ' --template'|' -t') kind=templates choices=() ;;
    ' --field') kind='' choices=() ;;
    ' --host') kind=hosts choices=() ;;
    ' --engine') kind='' choices=(ollama openai embedded) ;;
    ' --mode') kind='' choices=(auto native reflect direct) ;;
    ' --effort') kind='' choices=(low medium high max) ;;
    ' --family') kind='' choices=(reflection think native think_answer reasoning_answer exaone_deep marco seed_oss magistral openthinker kimi_vl kimi_k3 minimax_m3 apertus gemma4 cohere granite32 granite33 ernie45 solar_open solar_open2 harmony glimmer inkling k2_horizon hy plamo3 apriel longcat budget any none) ;;
    ' --system'|' -s') kind='' choices=() ;;
    ' --option'|' -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    ' --keep-alive') kind='' choices=() ;;
    ' --keep-thinking') kind='' choices=(auto on off) ;;
    ' --file'|' -f') kind=files choices=() ;;
    ' --image') kind=files choices=() ;;
    ' --schema') kind=files choices=() ;;
    ' --show') kind='' choices=(thinking reflection answer) ;;
    ' --timeout') kind='' choices=() ;;
    ' --session') kind=sessions choices=() ;;
    'ask --model'|'ask -m') kind=models choices=() ;;
    'ask --profile') kind=profiles choices=() ;;
    'ask --template'|'ask -t') kind=templates choices=() ;;
    'ask --field') kind='' choices=() ;;
    'ask --host') kind=hosts choices=() ;;
    'ask --engine') kind='' choices=(ollama openai embedded) ;;
    'ask --mode') kind='' choices=(auto native reflect direct) ;;
    'ask --effort') kind='' choices=(low medium high max) ;;
    'ask --family') kind='' choices=(reflection think native think_answer reasoning_answer exaone_deep marco seed_oss magistral openthinker kimi_vl kimi_k3 minimax_m3 apertus gemma4 cohere granite32 granite33 ernie45 solar_open solar_open2 harmony glimmer inkling k2_horizon hy plamo3 apriel longcat budget any none) ;;
    'ask --system'|'ask -s') kind='' choices=() ;;
    'ask --option'|'ask -o') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'ask --keep-alive') kind='' choices=() ;;
    'ask --keep-thinking') kind='' choices=(auto on off) ;;
    'ask --file'|'ask -f') kind=files choices=() ;;
    'ask --image') kind=files choices=() ;;
    'ask --schema') kind=files choices=() ;;
    'ask --show') kind='' choices=(thinking reflection answer) ;;
    'ask --timeout') kind='' choices=() ;;
    'ask --session') kind=sessions choices=() ;;
    'batch --output'|'batch -o') kind=files choices=() ;;
    'batch --fields') kind='' choices=() ;;
    'batch --format') kind='' choices=(lines jsonl) ;;
    'batch --jobs'|'batch -j') kind='' choices=() ;;
    'batch --retry') kind='' choices=() ;;
    'batch --patience') kind='' choices=() ;;
    'batch --model'|'batch -m') kind=models choices=() ;;
    'batch --profile') kind=profiles choices=() ;;
    'batch --template'|'batch -t') kind=templates choices=() ;;
    'batch --field') kind='' choices=() ;;
    'batch --host') kind=hosts choices=() ;;
    'batch --engine') kind='' choices=(ollama openai embedded) ;;
    'batch --mode') kind='' choices=(auto native reflect direct) ;;
    'batch --effort') kind='' choices=(low medium high max) ;;
    'batch --family') kind='' choices=(reflection think native think_answer reasoning_answer exaone_deep marco seed_oss magistral openthinker kimi_vl kimi_k3 minimax_m3 apertus gemma4 cohere granite32 granite33 ernie45 solar_open solar_open2 harmony glimmer inkling k2_horizon hy plamo3 apriel longcat budget any none) ;;
    'batch --system'|'batch -s') kind='' choices=() ;;
    'batch --option') kind='' choices=(num_ctx= num_predict= num_keep= seed= temperature= top_k= top_p= min_p= typical_p= repeat_last_n= repeat_penalty= presence_penalty= frequency_penalty= stop= num_batch= num_gpu= main_gpu= use_mmap= num_thread= draft_num_predict=) ;;
    'batch --keep-alive') kind='' choices=() ;;
    'batch --schema') kind=files choices=() ;;
    'batch --timeout') kind='' choices=() ;;
    'completions install --shell') kind='' choices=(bash zsh fish powershell) ;;
    'completions show 0') kind='' choices=(bash zsh fish powershell) ;;
    'completions path 0') kind='' choices=(bash zsh fish powershell) ;;
    'config show --profile') kind=profiles choices=() ;;
    'doctor --model'|'doctor -m') kind=models choices=() ;;
    'doctor --profile') kind=profiles choices=() ;;
    'doctor --host') kind=hosts choices=() ;;
    'doctor --engine') kind='' choices=(ollama openai embedded) ;;
    'doctor --timeout') kind='' choices=() ;;
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
    'sessions list --limit'|'sessions list -n') kind='' choices=() ;;
    'sessions search --limit'|'sessions search -n') kind='' choices=() ;;
    'sessions export --format'|'sessions export -f') kind='' choices=(markdown json html) ;;
    'sessions export --output'|'sessions export -o') kind=files choices=() ;;
    'sessions fork --at') kind='' choices=() ;;
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
        rest=${!i}
        _reflect_quoted "${rest#"$head"}" || continue
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
