# Completions of reflect for PowerShell, generated from the command itself: dot-source it in your profile.

$script:ReflectCommands = @{
    '' = @{
        Default = ''
        Subcommands = @('ask', 'Ask a question: the thinking is shown live, each correction marked; the answer alone goes to stdout', 'batch', 'Ask every line of a file, and write a line of JSON for each, in the same order', 'completions', 'The completions of bash, zsh, fish and PowerShell: install puts them where the shell looks', 'config', 'See and change the settings; shows them where nothing else is said', 'doctor', 'Check the terminal, settings, sessions, server and models, ask one question, and say what to do', 'models', 'See, fetch, make and put in order the models on a server; lists them where nothing else is said', 'sessions', 'Read, search, export and put in order what was asked before; lists it where nothing else is said', 'templates', 'See and write the templates that questions are put into with -t; lists them where nothing else is said')
        Options = @('--model', 'The model to ask', '-m', 'The model to ask', '--profile', 'A profile of the settings; goes before the environment. none: no profile', '--template', 'A template to put the question into. none: no template', '-t', 'A template to put the question into. none: no template', '--field', 'A value for a field of the template', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'Who answers: a server that speaks Ollama''s own API or OpenAI''s, or the built-in model', '--mode', 'How the model reflects: natively or in its own tags, asked to by a prompt, or not at all', '--effort', 'How much it thinks', '--family', 'How the reply marks its thinking: reflection, think, harmony, any, none, …', '--system', 'A system prompt beside the model''s own', '-s', 'A system prompt beside the model''s own', '--option', 'A model option: num_ctx, temperature, seed, …', '-o', 'A model option: num_ctx, temperature, seed, …', '--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--keep-thinking', 'Hand the thinking of earlier turns back to the model; auto: where its family was trained so', '--file', 'A text file to ask about; - is stdin', '-f', 'A text file to ask about; - is stdin', '--image', 'A picture to ask about', '--schema', 'A JSON Schema that the answer must fit', '--final', 'Print the final answer and nothing else', '--show', 'What to show: thinking,reflection,answer', '--no-thinking', 'Do not show the thinking; --mode direct makes it not think', '--json', 'Print the whole reply as one JSON object', '--jsonl', 'Print each piece as JSON as it arrives, then the object', '--raw', 'Print the reply as the model wrote it, tags and all; not to a terminal', '--timeout', 'How long to wait; or connect=5,first=300,idle=120', '--no-stdin', 'Do not read stdin', '--continue', 'Go on with the last session', '-c', 'Go on with the last session', '--session', 'Go on with a session, by the beginning of its id or its title', '--no-store', 'Do not keep this question; a session to go on with is still read', '--stats', 'Print the figures of the reply on stderr', '--quiet', 'Nothing but errors on stderr', '-q', 'Nothing but errors on stderr', '--version', 'Print the version and exit', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('*')
    }
    'ask' = @{
        Default = ''
        Subcommands = @()
        Options = @('--model', 'The model to ask', '-m', 'The model to ask', '--profile', 'A profile of the settings; goes before the environment. none: no profile', '--template', 'A template to put the question into. none: no template', '-t', 'A template to put the question into. none: no template', '--field', 'A value for a field of the template', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'Who answers: a server that speaks Ollama''s own API or OpenAI''s, or the built-in model', '--mode', 'How the model reflects: natively or in its own tags, asked to by a prompt, or not at all', '--effort', 'How much it thinks', '--family', 'How the reply marks its thinking: reflection, think, harmony, any, none, …', '--system', 'A system prompt beside the model''s own', '-s', 'A system prompt beside the model''s own', '--option', 'A model option: num_ctx, temperature, seed, …', '-o', 'A model option: num_ctx, temperature, seed, …', '--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--keep-thinking', 'Hand the thinking of earlier turns back to the model; auto: where its family was trained so', '--file', 'A text file to ask about; - is stdin', '-f', 'A text file to ask about; - is stdin', '--image', 'A picture to ask about', '--schema', 'A JSON Schema that the answer must fit', '--final', 'Print the final answer and nothing else', '--show', 'What to show: thinking,reflection,answer', '--no-thinking', 'Do not show the thinking; --mode direct makes it not think', '--json', 'Print the whole reply as one JSON object', '--jsonl', 'Print each piece as JSON as it arrives, then the object', '--raw', 'Print the reply as the model wrote it, tags and all; not to a terminal', '--timeout', 'How long to wait; or connect=5,first=300,idle=120', '--no-stdin', 'Do not read stdin', '--continue', 'Go on with the last session', '-c', 'Go on with the last session', '--session', 'Go on with a session, by the beginning of its id or its title', '--no-store', 'Do not keep this question; a session to go on with is still read', '--stats', 'Print the figures of the reply on stderr', '--quiet', 'Nothing but errors on stderr', '-q', 'Nothing but errors on stderr', '--version', 'Print the version and exit', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('*')
    }
    'batch' = @{
        Default = ''
        Subcommands = @()
        Options = @('--output', 'Write to a file: a line that is finished is in it at once; it is put in order at the end', '-o', 'Write to a file: a line that is finished is in it at once; it is put in order at the end', '--resume', 'Go on with the output file: ask what is not answered there, or failed', '--force', 'Begin anew where the output file is there already', '--unordered', 'Write the lines as they are finished, not in the order of the questions', '--fields', 'What to write beside line, id and error: answer,usage,thinking,prompt,host, …, as --json has them', '--full', 'Write all that --json of a question has, the question included', '--format', 'What the lines are: plain questions, or objects: {"prompt": …, "id", "system", "model", fields of the template}', '--jobs', 'How many to ask at the same time of each server', '-j', 'How many to ask at the same time of each server', '--retry', 'How often to ask again where a server was busy or a reply cut', '--patience', 'How long to wait for servers that have gone away, all of them', '--model', 'The model to ask', '-m', 'The model to ask', '--profile', 'A profile of the settings; goes before the environment. none: no profile', '--template', 'A template to put the question into. none: no template', '-t', 'A template to put the question into. none: no template', '--field', 'A value for a field of the template', '--host', 'A server, as in OLLAMA_HOST; given several times, the lines are spread over all of them', '--engine', 'Who answers: a server that speaks Ollama''s own API or OpenAI''s, or the built-in model', '--mode', 'How the model reflects: natively or in its own tags, asked to by a prompt, or not at all', '--effort', 'How much it thinks', '--family', 'How the reply marks its thinking: reflection, think, harmony, any, none, …', '--system', 'A system prompt beside the model''s own', '-s', 'A system prompt beside the model''s own', '--option', 'A model option: num_ctx, temperature, seed, …', '--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--schema', 'A JSON Schema that the answer must fit', '--timeout', 'How long to wait; or connect=5,first=300,idle=120', '--quiet', 'Nothing but errors on stderr', '-q', 'Nothing but errors on stderr', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('files')
    }
    'completions' = @{
        Default = 'show'
        Subcommands = @('install', 'Put the completions where the shell looks for them', 'show', 'Print the completions of a shell', 'path', 'Print where the completions go; the file may not exist')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'completions install' = @{
        Default = ''
        Subcommands = @()
        Options = @('--shell', 'The shell', '--force', 'Replace a file that is not of reflect', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'completions show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('')
    }
    'completions path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('')
    }
    'config' = @{
        Default = 'show'
        Subcommands = @('show', 'Show every setting, its value, and where it comes from', 'path', 'Print where the file of the settings is; it may not exist', 'edit', 'Open the file in your editor, and say afterwards what in it cannot be used', 'set', 'Set one value; comments, order and the rest of the file stay as they are', 'unset', 'Take one value out of the file, or a whole profile; the rest stays as it is')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--profile', 'A profile of the settings; goes before the environment. none: no profile', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config edit' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config set' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('keys', 'values*')
    }
    'config unset' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('keys')
    }
    'doctor' = @{
        Default = ''
        Subcommands = @()
        Options = @('--model', 'The model to ask', '-m', 'The model to ask', '--profile', 'A profile of the settings; goes before the environment. none: no profile', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'Who answers: a server that speaks Ollama''s own API or OpenAI''s, or the built-in model', '--timeout', 'How long to wait; or connect=5,first=300,idle=120', '--no-question', 'Ask the model nothing; then 0 says only that nothing found is in the way of an answer', '--json', 'Print what was found as one JSON object', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'models' = @{
        Default = 'list'
        Subcommands = @('list', 'List the models: their size, what they can do, where they run', 'show', 'Show all that is known of a model, and how it would be asked', 'pull', 'Fetch a model, or what is new of it', 'create', 'Make a model that reflects of one that is installed; `create mini` gives the server the built-in one', 'repair', 'Bring back the tags that a model loses, in a copy of it', 'copy', 'Give a model a second name; it takes no room', 'remove', 'Remove models from the server for good', 'load', 'Load a model, and say where it runs', 'unload', 'Unload a model; it stays installed')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'models list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--profile', 'A profile of the settings; goes before the environment. none: no profile', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'Who answers: a server that speaks Ollama''s own API or OpenAI''s, or the built-in model', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'models show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--template', 'Print the template alone', '--system', 'Print the system prompt alone', '--parameters', 'Print the parameters alone', '--licence', 'Print the licence alone', '--license', 'Print the licence alone', '--context', 'The context to estimate for', '--profile', 'A profile of the settings; goes before the environment. none: no profile', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'Who answers: a server that speaks Ollama''s own API or OpenAI''s, or the built-in model', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models pull' = @{
        Default = ''
        Subcommands = @()
        Options = @('--insecure', 'Let the server speak plain http to the registry', '--context', 'The context to estimate for', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--jsonl', 'Print what the server says as JSON, then the object', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models create' = @{
        Default = ''
        Subcommands = @()
        Options = @('--from', 'The installed model it is made of; mini needs none', '--system', 'A system prompt beside the source''s own; what teaches the tags is added', '-s', 'A system prompt beside the source''s own; what teaches the tags is added', '--template', 'Another template', '--parameter', 'A parameter in place of the source''s: temperature, num_ctx, …', '-p', 'A parameter in place of the source''s: temperature, num_ctx, …', '--no-proof', 'Do not ask the new model a question', '--force', 'Replace a model of that name', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('')
    }
    'models repair' = @{
        Default = ''
        Subcommands = @()
        Options = @('--gguf', 'The model''s GGUF on this machine, where the server is on another', '--token', 'A token to bring back besides the tags that are known', '--name', 'What the copy is called', '--force', 'Replace a model of that name', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models copy' = @{
        Default = ''
        Subcommands = @()
        Options = @('--force', 'Replace a model of that name', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models', '')
    }
    'models remove' = @{
        Default = ''
        Subcommands = @()
        Options = @('--yes', 'Do not ask', '-y', 'Do not ask', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models*')
    }
    'models load' = @{
        Default = ''
        Subcommands = @()
        Options = @('--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models unload' = @{
        Default = ''
        Subcommands = @()
        Options = @('--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'sessions' = @{
        Default = 'list'
        Subcommands = @('list', 'List the sessions, the latest first', 'show', 'Show a session: questions, thinking with its corrections, answers', 'search', 'Search titles, questions, thinking, corrections and answers', 'export', 'Export a session as Markdown, HTML or JSON', 'rename', 'Give a session another title', 'remove', 'Remove sessions for good', 'fork', 'Begin a new session with what was said so far; prints its id')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'sessions list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--limit', 'At most so many', '-n', 'At most so many', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'sessions show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--no-thinking', 'Only the summary of the thinking', '--all', 'Every branch, not only the one looked at last', '-a', 'Every branch, not only the one looked at last', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'sessions search' = @{
        Default = ''
        Subcommands = @()
        Options = @('--limit', 'At most so many', '-n', 'At most so many', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('*')
    }
    'sessions export' = @{
        Default = ''
        Subcommands = @()
        Options = @('--format', 'The form of the document', '-f', 'The form of the document', '--output', 'Write to a file; - is stdout', '-o', 'Write to a file; - is stdout', '--force', 'Replace a file that is there already', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'sessions rename' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions', '*')
    }
    'sessions remove' = @{
        Default = ''
        Subcommands = @()
        Options = @('--yes', 'Do not ask', '-y', 'Do not ask', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions*')
    }
    'sessions fork' = @{
        Default = ''
        Subcommands = @()
        Options = @('--at', 'The last question to take along', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'templates' = @{
        Default = 'list'
        Subcommands = @('list', 'List the templates, with their fields and the beginning of their text', 'show', 'Print a template as it is written', 'edit', 'Write a template in your editor; one that is not there is made', 'path', 'Print where a template is, or the folder of all; it may not exist')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'templates list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'templates show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('templates')
    }
    'templates edit' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('templates')
    }
    'templates path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('templates')
    }
}
$script:ReflectValues = @{
    ' --model' = @{ Kind = 'models'; Choices = @() }
    ' -m' = @{ Kind = 'models'; Choices = @() }
    ' --profile' = @{ Kind = 'profiles'; Choices = @() }
    ' --template' = @{ Kind = 'templates'; Choices = @() }
    ' -t' = @{ Kind = 'templates'; Choices = @() }
    ' --field' = @{ Kind = ''; Choices = @() }
    ' --host' = @{ Kind = 'hosts'; Choices = @() }
    ' --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    ' --mode' = @{ Kind = ''; Choices = @('auto', 'native', 'reflect', 'direct') }
    ' --effort' = @{ Kind = ''; Choices = @('low', 'medium', 'high', 'max') }
    ' --family' = @{ Kind = ''; Choices = @('reflection', 'think', 'native', 'think_answer', 'reasoning_answer', 'exaone_deep', 'marco', 'seed_oss', 'magistral', 'openthinker', 'kimi_vl', 'kimi_k3', 'minimax_m3', 'apertus', 'gemma4', 'cohere', 'granite32', 'granite33', 'ernie45', 'solar_open', 'solar_open2', 'harmony', 'glimmer', 'inkling', 'k2_horizon', 'hy', 'plamo3', 'apriel', 'longcat', 'budget', 'any', 'none') }
    ' --system' = @{ Kind = ''; Choices = @() }
    ' -s' = @{ Kind = ''; Choices = @() }
    ' --option' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    ' -o' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    ' --keep-alive' = @{ Kind = ''; Choices = @() }
    ' --keep-thinking' = @{ Kind = ''; Choices = @('auto', 'on', 'off') }
    ' --file' = @{ Kind = 'files'; Choices = @() }
    ' -f' = @{ Kind = 'files'; Choices = @() }
    ' --image' = @{ Kind = 'files'; Choices = @() }
    ' --schema' = @{ Kind = 'files'; Choices = @() }
    ' --show' = @{ Kind = ''; Choices = @('thinking', 'reflection', 'answer') }
    ' --timeout' = @{ Kind = ''; Choices = @() }
    ' --session' = @{ Kind = 'sessions'; Choices = @() }
    'ask --model' = @{ Kind = 'models'; Choices = @() }
    'ask -m' = @{ Kind = 'models'; Choices = @() }
    'ask --profile' = @{ Kind = 'profiles'; Choices = @() }
    'ask --template' = @{ Kind = 'templates'; Choices = @() }
    'ask -t' = @{ Kind = 'templates'; Choices = @() }
    'ask --field' = @{ Kind = ''; Choices = @() }
    'ask --host' = @{ Kind = 'hosts'; Choices = @() }
    'ask --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'ask --mode' = @{ Kind = ''; Choices = @('auto', 'native', 'reflect', 'direct') }
    'ask --effort' = @{ Kind = ''; Choices = @('low', 'medium', 'high', 'max') }
    'ask --family' = @{ Kind = ''; Choices = @('reflection', 'think', 'native', 'think_answer', 'reasoning_answer', 'exaone_deep', 'marco', 'seed_oss', 'magistral', 'openthinker', 'kimi_vl', 'kimi_k3', 'minimax_m3', 'apertus', 'gemma4', 'cohere', 'granite32', 'granite33', 'ernie45', 'solar_open', 'solar_open2', 'harmony', 'glimmer', 'inkling', 'k2_horizon', 'hy', 'plamo3', 'apriel', 'longcat', 'budget', 'any', 'none') }
    'ask --system' = @{ Kind = ''; Choices = @() }
    'ask -s' = @{ Kind = ''; Choices = @() }
    'ask --option' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'ask -o' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'ask --keep-alive' = @{ Kind = ''; Choices = @() }
    'ask --keep-thinking' = @{ Kind = ''; Choices = @('auto', 'on', 'off') }
    'ask --file' = @{ Kind = 'files'; Choices = @() }
    'ask -f' = @{ Kind = 'files'; Choices = @() }
    'ask --image' = @{ Kind = 'files'; Choices = @() }
    'ask --schema' = @{ Kind = 'files'; Choices = @() }
    'ask --show' = @{ Kind = ''; Choices = @('thinking', 'reflection', 'answer') }
    'ask --timeout' = @{ Kind = ''; Choices = @() }
    'ask --session' = @{ Kind = 'sessions'; Choices = @() }
    'batch --output' = @{ Kind = 'files'; Choices = @() }
    'batch -o' = @{ Kind = 'files'; Choices = @() }
    'batch --fields' = @{ Kind = ''; Choices = @() }
    'batch --format' = @{ Kind = ''; Choices = @('lines', 'jsonl') }
    'batch --jobs' = @{ Kind = ''; Choices = @() }
    'batch -j' = @{ Kind = ''; Choices = @() }
    'batch --retry' = @{ Kind = ''; Choices = @() }
    'batch --patience' = @{ Kind = ''; Choices = @() }
    'batch --model' = @{ Kind = 'models'; Choices = @() }
    'batch -m' = @{ Kind = 'models'; Choices = @() }
    'batch --profile' = @{ Kind = 'profiles'; Choices = @() }
    'batch --template' = @{ Kind = 'templates'; Choices = @() }
    'batch -t' = @{ Kind = 'templates'; Choices = @() }
    'batch --field' = @{ Kind = ''; Choices = @() }
    'batch --host' = @{ Kind = 'hosts'; Choices = @() }
    'batch --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'batch --mode' = @{ Kind = ''; Choices = @('auto', 'native', 'reflect', 'direct') }
    'batch --effort' = @{ Kind = ''; Choices = @('low', 'medium', 'high', 'max') }
    'batch --family' = @{ Kind = ''; Choices = @('reflection', 'think', 'native', 'think_answer', 'reasoning_answer', 'exaone_deep', 'marco', 'seed_oss', 'magistral', 'openthinker', 'kimi_vl', 'kimi_k3', 'minimax_m3', 'apertus', 'gemma4', 'cohere', 'granite32', 'granite33', 'ernie45', 'solar_open', 'solar_open2', 'harmony', 'glimmer', 'inkling', 'k2_horizon', 'hy', 'plamo3', 'apriel', 'longcat', 'budget', 'any', 'none') }
    'batch --system' = @{ Kind = ''; Choices = @() }
    'batch -s' = @{ Kind = ''; Choices = @() }
    'batch --option' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'batch --keep-alive' = @{ Kind = ''; Choices = @() }
    'batch --schema' = @{ Kind = 'files'; Choices = @() }
    'batch --timeout' = @{ Kind = ''; Choices = @() }
    'completions install --shell' = @{ Kind = ''; Choices = @('bash', 'zsh', 'fish', 'powershell') }
    'completions show 0' = @{ Kind = ''; Choices = @('bash', 'zsh', 'fish', 'powershell') }
    'completions path 0' = @{ Kind = ''; Choices = @('bash', 'zsh', 'fish', 'powershell') }
    'config show --profile' = @{ Kind = 'profiles'; Choices = @() }
    'doctor --model' = @{ Kind = 'models'; Choices = @() }
    'doctor -m' = @{ Kind = 'models'; Choices = @() }
    'doctor --profile' = @{ Kind = 'profiles'; Choices = @() }
    'doctor --host' = @{ Kind = 'hosts'; Choices = @() }
    'doctor --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'doctor --timeout' = @{ Kind = ''; Choices = @() }
    'models list --profile' = @{ Kind = 'profiles'; Choices = @() }
    'models list --host' = @{ Kind = 'hosts'; Choices = @() }
    'models list --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'models show --context' = @{ Kind = ''; Choices = @() }
    'models show --profile' = @{ Kind = 'profiles'; Choices = @() }
    'models show --host' = @{ Kind = 'hosts'; Choices = @() }
    'models show --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'models pull --context' = @{ Kind = ''; Choices = @() }
    'models pull --host' = @{ Kind = 'hosts'; Choices = @() }
    'models pull 0' = @{ Kind = 'models'; Choices = @('reflection:70b', 'qwen3:32b', 'gpt-oss:20b', 'qwen3:14b', 'qwen3:8b', 'qwen3:4b', 'qwen3:1.7b', 'qwen3:0.6b') }
    'models create --from' = @{ Kind = 'models'; Choices = @() }
    'models create --system' = @{ Kind = 'texts'; Choices = @() }
    'models create -s' = @{ Kind = 'texts'; Choices = @() }
    'models create --template' = @{ Kind = 'texts'; Choices = @() }
    'models create --parameter' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'models create -p' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'models create --host' = @{ Kind = 'hosts'; Choices = @() }
    'models repair --gguf' = @{ Kind = 'files'; Choices = @() }
    'models repair --token' = @{ Kind = ''; Choices = @() }
    'models repair --name' = @{ Kind = ''; Choices = @() }
    'models repair --host' = @{ Kind = 'hosts'; Choices = @() }
    'models copy --host' = @{ Kind = 'hosts'; Choices = @() }
    'models remove --host' = @{ Kind = 'hosts'; Choices = @() }
    'models load --keep-alive' = @{ Kind = ''; Choices = @() }
    'models load --host' = @{ Kind = 'hosts'; Choices = @() }
    'models unload --host' = @{ Kind = 'hosts'; Choices = @() }
    'sessions list --limit' = @{ Kind = ''; Choices = @() }
    'sessions list -n' = @{ Kind = ''; Choices = @() }
    'sessions search --limit' = @{ Kind = ''; Choices = @() }
    'sessions search -n' = @{ Kind = ''; Choices = @() }
    'sessions export --format' = @{ Kind = ''; Choices = @('markdown', 'json', 'html') }
    'sessions export -f' = @{ Kind = ''; Choices = @('markdown', 'json', 'html') }
    'sessions export --output' = @{ Kind = 'files'; Choices = @() }
    'sessions export -o' = @{ Kind = 'files'; Choices = @() }
    'sessions fork --at' = @{ Kind = ''; Choices = @() }
}

Register-ArgumentCompleter -Native -CommandName reflect -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # As it may stand on the line, so that PowerShell reads it as that value and nothing else.
    function Protect-Value([string] $value) {
        if ($value -match '^[\w./:=+-]+$') { return $value }
        $marks = "['" + [char]0x2018 + [char]0x2019 + [char]0x201a + [char]0x201b + ']'
        return "'" + ($value -replace $marks, '$0$0') + "'"
    }
    function New-Offer([string] $value, [string] $about, [string] $before) {
        if (-not $value.StartsWith($word, [StringComparison]::Ordinal)) { return }
        $shown = if ($about) { $about } else { $value }
        [System.Management.Automation.CompletionResult]::new(
            $before + (Protect-Value $value), $value, 'ParameterValue', $shown)
    }
    function Get-Filling($kind, $choices, $before) {
        foreach ($one in $choices) { New-Offer $one '' $before }
        if ($kind -and $kind -ne 'files' -and $kind -ne 'texts') {
            foreach ($line in (& reflect __complete $kind $word @words 2>$null)) {
                $value, $about = $line -split "`t", 2
                New-Offer $value $about $before
            }
        }
    }

    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    $word = $wordToComplete.Trim("'", '"')
    $path = ''; $place = 0; $flag = ''; $ended = $false
    foreach ($one in $words) {
        $about = $script:ReflectCommands[$path]
        if ($flag) { $flag = ''; continue }
        if ($one -like '-?*' -and -not $ended) {
            if ($one -eq '--') { $ended = $true; continue }
            if ($about.Default) { $path = "$path $($about.Default)" }
            if ($script:ReflectValues.ContainsKey("$path $one")) { $flag = $one }
            continue
        }
        $names = for ($i = 0; $i -lt $about.Subcommands.Count; $i += 2) { $about.Subcommands[$i] }
        if ($place -eq 0 -and -not $ended -and $names -ccontains $one) { $path = "$path $one".Trim(); continue }
        $place += 1
    }
    $about = $script:ReflectCommands[$path]
    $before = ''
    if (-not $flag -and -not $ended -and $word -like '--*=*') {
        if ($about.Default) { $path = "$path $($about.Default)" }
        $flag, $word = $word -split '=', 2
        $before = "$flag="
    }
    if ($flag) {
        $value = $script:ReflectValues["$path $flag"]
        if ($value) { Get-Filling $value.Kind $value.Choices $before }
        return
    }
    if ($word -like '-*' -and -not $ended) {
        if ($about.Default) { $about = $script:ReflectCommands["$path $($about.Default)"] }
        for ($i = 0; $i -lt $about.Options.Count; $i += 2) { New-Offer $about.Options[$i] $about.Options[$i + 1] '' }
        return
    }
    if ($place -eq 0 -and -not $ended) {
        for ($i = 0; $i -lt $about.Subcommands.Count; $i += 2) {
            New-Offer $about.Subcommands[$i] $about.Subcommands[$i + 1] ''
        }
    }
    $last = $about.Places.Count - 1
    if ($last -lt 0) { return }
    if ($place -gt $last) {
        if (-not $about.Places[$last].EndsWith('*')) { return }
        $place = $last
    }
    $value = $script:ReflectValues["$path $place"]
    if ($value) { Get-Filling $value.Kind $value.Choices '' } else { Get-Filling $about.Places[$place].TrimEnd('*') @() '' }
}
