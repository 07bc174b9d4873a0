BEGIN TRANSACTION;
CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO "experiments" VALUES(0,'Default','/home/user/mlruns/0','active',1795884495750,1795884495750,'default');
INSERT INTO "experiments" VALUES(1,'digits','/home/user/mlruns/1','active',1795884495784,1795884495784,'default');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('val_accuracy',2.66666666666666662965e-01,1795884496156,'587fa8e4d04f424fb27fd51b865dc220',0,0);
INSERT INTO "metrics" VALUES('val_loss',1.0,1795884496203,'587fa8e4d04f424fb27fd51b865dc220',0,0);
INSERT INTO "metrics" VALUES('val_accuracy',5.33333333333333325931e-01,1795884496252,'587fa8e4d04f424fb27fd51b865dc220',1,0);
INSERT INTO "metrics" VALUES('val_loss',0.5,1795884496288,'587fa8e4d04f424fb27fd51b865dc220',1,0);
INSERT INTO "metrics" VALUES('val_accuracy',8.00000000000000155431e-01,1795884496336,'587fa8e4d04f424fb27fd51b865dc220',2,0);
INSERT INTO "metrics" VALUES('val_loss',3.33333333333333314829e-01,1795884496388,'587fa8e4d04f424fb27fd51b865dc220',2,0);
INSERT INTO "metrics" VALUES('val_accuracy',3.33333333333333314829e-01,1795884496608,'a2c3c5c3f9744f50b310a4fe92c54576',0,0);
INSERT INTO "metrics" VALUES('val_loss',0.0,1795884496640,'a2c3c5c3f9744f50b310a4fe92c54576',0,0);
INSERT INTO "metrics" VALUES('val_accuracy',6.66666666666666629659e-01,1795884496680,'a2c3c5c3f9744f50b310a4fe92c54576',1,0);
INSERT INTO "metrics" VALUES('val_loss',0.0,1795884496708,'a2c3c5c3f9744f50b310a4fe92c54576',1,0);
INSERT INTO "metrics" VALUES('val_accuracy',1.0,1795884496756,'a2c3c5c3f9744f50b310a4fe92c54576',2,0);
INSERT INTO "metrics" VALUES('val_loss',0.0,1795884496792,'a2c3c5c3f9744f50b310a4fe92c54576',2,0);
INSERT INTO "metrics" VALUES('val_accuracy',2.66666666666666662965e-01,1795884497068,'ea3948e391584c83a04d8b7721738591',0,0);
INSERT INTO "metrics" VALUES('val_loss',1.0,1795884497102,'ea3948e391584c83a04d8b7721738591',0,0);
INSERT INTO "metrics" VALUES('val_accuracy',5.33333333333333325931e-01,1795884497169,'ea3948e391584c83a04d8b7721738591',1,0);
INSERT INTO "metrics" VALUES('val_loss',0.5,1795884497188,'ea3948e391584c83a04d8b7721738591',1,0);
INSERT INTO "metrics" VALUES('val_accuracy',8.00000000000000155431e-01,1795884497236,'ea3948e391584c83a04d8b7721738591',2,0);
INSERT INTO "metrics" VALUES('val_loss',3.33333333333333314829e-01,1795884497268,'ea3948e391584c83a04d8b7721738591',2,0);
INSERT INTO "metrics" VALUES('val_accuracy',1.99999999999999983346e-01,1795884497603,'1b04e01a14c64e989f9ed9116a5a91b8',0,0);
INSERT INTO "metrics" VALUES('val_loss',2.0,1795884497621,'1b04e01a14c64e989f9ed9116a5a91b8',0,0);
INSERT INTO "metrics" VALUES('val_accuracy',3.99999999999999966693e-01,1795884497673,'1b04e01a14c64e989f9ed9116a5a91b8',1,0);
INSERT INTO "metrics" VALUES('val_loss',1.0,1795884497700,'1b04e01a14c64e989f9ed9116a5a91b8',1,0);
INSERT INTO "metrics" VALUES('val_accuracy',0.6,1795884497745,'1b04e01a14c64e989f9ed9116a5a91b8',2,0);
INSERT INTO "metrics" VALUES('val_loss',6.66666666666666629659e-01,1795884497787,'1b04e01a14c64e989f9ed9116a5a91b8',2,0);
INSERT INTO "metrics" VALUES('val_accuracy',2.98474750314644154958e-01,1795884497992,'fa938ff30ef04a248ef63fefde002615',0,0);
INSERT INTO "metrics" VALUES('val_loss',5.22878745280337398071e-01,1795884498025,'fa938ff30ef04a248ef63fefde002615',0,0);
INSERT INTO "metrics" VALUES('val_accuracy',5.96949500629288309916e-01,1795884498072,'fa938ff30ef04a248ef63fefde002615',1,0);
INSERT INTO "metrics" VALUES('val_loss',2.61439372640168699035e-01,1795884498109,'fa938ff30ef04a248ef63fefde002615',1,0);
INSERT INTO "metrics" VALUES('val_accuracy',8.95424250943932520385e-01,1795884498177,'fa938ff30ef04a248ef63fefde002615',2,0);
INSERT INTO "metrics" VALUES('val_loss',1.74292915093445799357e-01,1795884498233,'fa938ff30ef04a248ef63fefde002615',2,0);
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('lr','0.0001','587fa8e4d04f424fb27fd51b865dc220');
INSERT INTO "params" VALUES('act','relu','587fa8e4d04f424fb27fd51b865dc220');
INSERT INTO "params" VALUES('bn','True','587fa8e4d04f424fb27fd51b865dc220');
INSERT INTO "params" VALUES('note','None','587fa8e4d04f424fb27fd51b865dc220');
INSERT INTO "params" VALUES('lr','0.001','a2c3c5c3f9744f50b310a4fe92c54576');
INSERT INTO "params" VALUES('act','tanh','a2c3c5c3f9744f50b310a4fe92c54576');
INSERT INTO "params" VALUES('bn','False','a2c3c5c3f9744f50b310a4fe92c54576');
INSERT INTO "params" VALUES('note','None','a2c3c5c3f9744f50b310a4fe92c54576');
INSERT INTO "params" VALUES('lr','0.01','ea3948e391584c83a04d8b7721738591');
INSERT INTO "params" VALUES('act','relu','ea3948e391584c83a04d8b7721738591');
INSERT INTO "params" VALUES('bn','True','ea3948e391584c83a04d8b7721738591');
INSERT INTO "params" VALUES('note','None','ea3948e391584c83a04d8b7721738591');
INSERT INTO "params" VALUES('lr','0.03','5c9e7690dd214aadbc7dece05f3cfeb2');
INSERT INTO "params" VALUES('act','relu','5c9e7690dd214aadbc7dece05f3cfeb2');
INSERT INTO "params" VALUES('bn','False','5c9e7690dd214aadbc7dece05f3cfeb2');
INSERT INTO "params" VALUES('note','None','5c9e7690dd214aadbc7dece05f3cfeb2');
INSERT INTO "params" VALUES('lr','1e-05','1b04e01a14c64e989f9ed9116a5a91b8');
INSERT INTO "params" VALUES('act','tanh','1b04e01a14c64e989f9ed9116a5a91b8');
INSERT INTO "params" VALUES('bn','True','1b04e01a14c64e989f9ed9116a5a91b8');
INSERT INTO "params" VALUES('note','None','1b04e01a14c64e989f9ed9116a5a91b8');
INSERT INTO "params" VALUES('lr','0.0003','fa938ff30ef04a248ef63fefde002615');
INSERT INTO "params" VALUES('act','relu','fa938ff30ef04a248ef63fefde002615');
INSERT INTO "params" VALUES('bn','False','fa938ff30ef04a248ef63fefde002615');
INSERT INTO "params" VALUES('note','None','fa938ff30ef04a248ef63fefde002615');
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('587fa8e4d04f424fb27fd51b865dc220','r0','UNKNOWN','','','user','FINISHED',1795884496016,1795884496496,'','active','/home/user/mlruns/1/587fa8e4d04f424fb27fd51b865dc220/artifacts',1,NULL);
INSERT INTO "runs" VALUES('a2c3c5c3f9744f50b310a4fe92c54576','r1','UNKNOWN','','','user','FINISHED',1795884496534,1795884496818,'','active','/home/user/mlruns/1/a2c3c5c3f9744f50b310a4fe92c54576/artifacts',1,NULL);
INSERT INTO "runs" VALUES('ea3948e391584c83a04d8b7721738591','r2','UNKNOWN','','','user','FINISHED',1795884496948,1795884497304,'','active','/home/user/mlruns/1/ea3948e391584c83a04d8b7721738591/artifacts',1,NULL);
INSERT INTO "runs" VALUES('5c9e7690dd214aadbc7dece05f3cfeb2','r3','UNKNOWN','','','user','FAILED',1795884497358,1795884497454,'','active','/home/user/mlruns/1/5c9e7690dd214aadbc7dece05f3cfeb2/artifacts',1,NULL);
INSERT INTO "runs" VALUES('1b04e01a14c64e989f9ed9116a5a91b8','r4','UNKNOWN','','','user','FINISHED',1795884497502,1795884497836,'','active','/home/user/mlruns/1/1b04e01a14c64e989f9ed9116a5a91b8/artifacts',1,NULL);
INSERT INTO "runs" VALUES('fa938ff30ef04a248ef63fefde002615','r5','UNKNOWN','','','user','FINISHED',1795884497874,1795884498300,'','active','/home/user/mlruns/1/fa938ff30ef04a248ef63fefde002615/artifacts',1,NULL);
COMMIT;
